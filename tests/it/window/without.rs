//! Where there can be no window, the program says what to do.

use std::process::{Command, Stdio};

/// Starts the program without a display and returns its status and the lines of its complaint.
fn run(arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let answer = Command::new(env!("CARGO_BIN_EXE_timeglass"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .stdin(Stdio::null())
        .output()
        .expect("the program that was built");
    assert!(answer.stdout.is_empty(), "a complaint is no answer");
    let text = String::from_utf8(answer.stderr).expect("UTF-8");
    (answer.status.code(), text.lines().map(str::to_owned).collect())
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_display_two_lines_say_what_to_do() {
    for arguments in [&["sample-data/shop.sqlite"][..], &[]] {
        let (status, lines) = run(arguments);
        assert_eq!(status, Some(2));
        let [missing, remedy] = &lines[..] else { panic!("{lines:?}") };
        assert!(missing.contains("DISPLAY"), "{missing}");
        assert!(remedy.contains("xvfb") && remedy.contains("timeglass info FILE"), "{remedy}");
    }
}

#[test]
fn a_file_that_is_not_there_is_said_before_a_window_opens() {
    let (status, lines) = run(&["sample-data/shop.sqlit"]);
    assert_eq!(status, Some(2));
    let text = lines.join("\n");
    assert!(text.contains("sample-data/shop.sqlit") && text.contains("shop.sqlite"), "{text}");
}
