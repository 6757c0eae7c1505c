//! Lets in who shows the key. A crate of type cdylib; beside Envoy's SDK it needs serde, serde_json and subtle.
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as Status;
use envoy_proxy_dynamic_modules_rust_sdk::*;
use serde::Deserialize;
use std::any::Any;
use std::sync::Arc;
use subtle::ConstantTimeEq;

declare_init_functions!(init, new_config, new_route_config);

/// What a chain sets: `filter_config` of the filter, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    key: String,
}

/// What a route sets: `typed_per_filter_config`, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteSettings {
    enabled: bool,
}

fn init() -> bool {
    true
}

fn new_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    _name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let settings: Settings = match serde_json::from_slice(config) {
        Ok(settings) => settings,
        Err(error) => {
            envoy_log_error!("api_key: {}", error);
            return None;
        }
    };
    if settings.key.len() < 16 {
        envoy_log_error!("api_key: key is shorter than 16 characters");
        return None;
    }
    let refused = envoy.define_counter("api_key_refused").ok()?;
    Some(Box::new(Config {
        key: settings.key.into_bytes().into(),
        refused,
    }))
}

fn new_route_config(_name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    let settings: RouteSettings = serde_json::from_slice(config).ok()?;
    Some(Box::new(settings))
}

struct Config {
    key: Arc<[u8]>,
    refused: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(KeyFilter {
            key: self.key.clone(),
            refused: self.refused,
        })
    }
}

/// One for each request.
struct KeyFilter {
    key: Arc<[u8]>,
    refused: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for KeyFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> Status {
        let route = envoy.get_most_specific_route_config();
        let settings = route
            .as_ref()
            .and_then(|any| any.downcast_ref::<RouteSettings>());
        let is_good = envoy
            .get_request_header_value("x-api-key")
            .is_some_and(|value| bool::from(value.as_slice().ct_eq(&self.key)));
        envoy.remove_request_header("x-api-key");
        if is_good || settings.is_some_and(|settings| !settings.enabled) {
            return Status::Continue;
        }
        let _ = envoy.increment_counter(self.refused, 1);
        envoy.send_response(
            401,
            &[],
            Some(b"a key is needed\n"),
            Some("api_key.missing"),
        );
        Status::StopIteration
    }
}
