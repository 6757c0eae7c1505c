import Testing

@Suite struct FiltersPlaceholder {}
