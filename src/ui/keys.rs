//! Shortcuts: from the text in the table of actions to keys.

use egui::{Key, KeyboardShortcut, Modifiers};

/// Reads `Ctrl+Shift+C`, `F5`, `ArrowLeft`; nothing for an empty or unknown text.
#[must_use]
pub fn parse(text: &str) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    let mut key = None;
    for part in text.split('+') {
        match part {
            "Ctrl" => modifiers = modifiers.plus(Modifiers::COMMAND),
            "Shift" => modifiers = modifiers.plus(Modifiers::SHIFT),
            "Alt" => modifiers = modifiers.plus(Modifiers::ALT),
            name => key = Key::from_name(name),
        }
    }
    key.map(|key| KeyboardShortcut::new(modifiers, key))
}

/// The text for menus: arrows as arrows.
#[must_use]
pub fn shown(text: &str) -> String {
    let arrows = [("ArrowLeft", "←"), ("ArrowRight", "→"), ("ArrowUp", "↑"), ("ArrowDown", "↓")];
    let text = text.replace("Escape", "Esc").replace("Comma", ",");
    arrows.iter().fold(text, |text, (name, arrow)| text.replace(name, arrow))
}

/// Whether a key may act only while nothing is being typed: one without modifiers, or one that moves the caret or
/// marks text.
#[must_use]
pub fn is_plain(shortcut: KeyboardShortcut) -> bool {
    let KeyboardShortcut { modifiers, logical_key: key } = shortcut;
    let is_arrow = matches!(key, Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown);
    let is_bare = modifiers.is_none() && !matches!(key, Key::F1 | Key::F5 | Key::F9 | Key::F12);
    is_bare || (is_arrow && !modifiers.alt)
}

/// Whether a tree that has the focus wants the key for itself, to open and close its nodes.
#[must_use]
pub fn moves_in_trees(shortcut: KeyboardShortcut) -> bool {
    shortcut.modifiers.is_none() && matches!(shortcut.logical_key, Key::ArrowLeft | Key::ArrowRight)
}

#[cfg(test)]
mod tests {
    use super::{is_plain, parse};
    use crate::session::action::NAMED;

    #[test]
    fn every_shortcut_of_the_table_is_a_key_and_stands_once() {
        let mut seen = Vec::new();
        for action in NAMED.iter().filter(|action| !action.shortcut.is_empty()) {
            let shortcut = parse(action.shortcut).unwrap_or_else(|| panic!("{}", action.shortcut));
            assert!(!seen.contains(&shortcut), "{} stands twice", action.shortcut);
            seen.push(shortcut);
        }
        assert!(seen.len() > 10);
    }

    #[test]
    fn what_moves_the_caret_is_left_to_who_types() {
        let check = |text: &str| parse(text).map(is_plain);
        assert_eq!(check("ArrowLeft"), Some(true));
        assert_eq!(check("Ctrl+ArrowLeft"), Some(true));
        assert_eq!(check("Ctrl+Shift+ArrowLeft"), Some(true));
        assert_eq!(check("Alt+ArrowLeft"), Some(false));
        assert_eq!(check("F9"), Some(false));
        assert_eq!(check("Ctrl+S"), Some(false));
    }
}
