import Testing

@Suite struct ConfigPlaceholder {}
