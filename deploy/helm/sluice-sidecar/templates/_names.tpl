{{- define "sidecar.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* From the signal to the end: the delay, the service, and a moment. */ -}}
{{- define "sidecar.drain" -}}
{{ add .Values.drainDelay .Values.app.shutdown 5 }}
{{- end }}

{{- /* The config of Sluice, in full. */ -}}
{{- define "sidecar.config" -}}
{{- if .Values.config -}}
{{ .Values.config }}
{{- else -}}
drain_timeout: {{ include "sidecar.drain" . }}s
outlive: 127.0.0.1:{{ .Values.app.port }}
log: { level: {{ .Values.sluice.logLevel }}, format: json }
access_log: { to: stdout, format: json }
admin: 127.0.0.1:9901

listeners:
  inbound:
    bind: 0.0.0.0:{{ .Values.inboundPort }}
    drain_delay: {{ .Values.drainDelay }}s
    chain:
      - tls:
          certificate: certificates/server.crt
          key: certificates/server.key
          ca: certificates/ca.pem
          {{- with .Values.acceptedNames }}
          {{- if or .uri .dns }}
          accepted_names:
            {{- if .uri }}
            uri: {{ .uri | toJson }}
            {{- end }}
            {{- if .dns }}
            dns: {{ .dns | toJson }}
            {{- end }}
          {{- end }}
          {{- end }}
      - http:
          forwarded_client_cert: { mode: sanitize_set, details: [ uri ] }
      - stats
      - router: { to: app }
  health:
    bind: 0.0.0.0:{{ .Values.healthPort }}
    access_log: off
    chain: [ http, router: { routes: [ { respond: { body: "ok\n" } } ] } ]
  {{- range .Values.upstreams }}
  to-{{ .name }}:
    bind: 127.0.0.1:{{ .port }}
    direction: outbound
    chain:
      - http: { forwarded_for: off }
      - stats
      - circuit_breaker: { max_requests: 100, errors: { failure_rate: 50% } }
      - retry: { attempts: 2 }
      - router: { to: {{ .name }}, timeout: {{ .timeout | default "30s" }} }
  {{- end }}

clusters:
  app:
    endpoints: [ 127.0.0.1:{{ .Values.app.port }} ]
    connect_timeout: 1s
  {{- range .Values.upstreams }}
  {{ .name }}:
    endpoints: [ {{ .endpoint | quote }} ]
    {{- if not .plain }}
    chain:
      - tls:
          ca: certificates/ca.pem
          certificate: certificates/client.crt
          key: certificates/client.key
          {{- with .serverName }}
          server_name: {{ . }}
          {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
