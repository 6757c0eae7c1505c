import Testing

@Suite struct FilterAPIPlaceholder {}
