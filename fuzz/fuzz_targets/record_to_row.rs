#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    labelstream_oracles::record_to_row::check(data);
});
