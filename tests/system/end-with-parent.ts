// Loaded into every process that a test starts which would not notice by itself that the test is gone: ends it then,
// however the test ended.
process.on("disconnect", () => process.exit(1));
// Listening alone would keep a program alive that has nothing left to do.
process.channel?.unref();
