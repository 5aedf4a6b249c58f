//! The README shows what the program really says.

#[test]
fn every_console_block_of_the_readme_is_what_the_program_says() {
    trycmd::TestCases::new().case("../README.md").run();
}
