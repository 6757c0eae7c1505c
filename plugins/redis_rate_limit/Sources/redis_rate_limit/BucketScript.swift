/// The script that takes a token from a bucket; Redis runs it as a whole, with nothing else in between.
///
/// What is kept of a bucket is one number: when it is full again (the generic cell rate algorithm), in ticks, sixteenths of a
/// microsecond, on Redis' own clock. All numbers are whole, and so small that the script's floating point has them exactly.
/// A key ceases to be when its bucket is full, as a bucket that is not there is full.
enum BucketScript {
    static let ticksPerSecond: Int64 = 16_000_000

    /// KEYS: the bucket. ARGV: for how long one token grows, and all of them. Answers with whether there was one, and how long
    /// it is until the bucket is full.
    ///
    /// A bucket never takes longer to be full than an empty one does, whatever its limit was before, or the clock.
    static let text = """
        local interval, depth = tonumber(ARGV[1]), tonumber(ARGV[2])
        local time = redis.call('TIME')
        local now = (time[1] - 1767225600) * 16000000 + time[2] * 16
        local full = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
        full = math.min(math.max(full, now), now + depth)
        if full - now > depth - interval then return { 0, full - now } end
        full = full + interval
        redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 16000))
        return { 1, full - now }
        """
}
