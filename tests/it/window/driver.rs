//! The program in a process of its own, and what a user's hand and eye do with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use egui::{
    Event, Key, Modifiers, PointerButton, Pos2,
    accesskit::{Node, NodeId, Rect, Role, TreeUpdate},
};
use egui_inspection::{Request, Response, protocol::read_handshake, read_message, write_message};

use super::screen::Screen;

/// Far more than any step needs, so that a slow machine fails no test, and a stuck window fails one.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A running window. The process and its screen end when this is dropped.
pub(crate) struct Window {
    process: Child,
    port: TcpStream,
    _screen: Screen,
}

impl Window {
    /// Starts the program on a screen of its own; `home` is where it keeps what it remembers.
    pub(crate) fn open<S: AsRef<OsStr>>(home: &Path, arguments: &[S]) -> Self {
        let screen = Screen::start();
        let address = free_address();
        let mut process = program(home)
            .args(arguments)
            .env("DISPLAY", screen.display())
            .env("EGUI_INSPECTION", &address)
            // No GPU is asked for, so that every machine draws alike.
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program that was built");
        let port = connect(&mut process, &address);
        let mut window = Self { process, port, _screen: screen };
        read_handshake(&mut window.port).expect("the inspection port's greeting");
        window
    }

    fn ask(&mut self, request: &Request) -> Response {
        let answer = write_message(&mut self.port, request).and_then(|()| read_message(&mut self.port));
        let answer = answer.unwrap_or_else(|err| {
            let status = self.process.try_wait().expect("a child");
            self.process.kill().ok();
            panic!("the window does not answer: {err}; {status:?}; {}", complaints(&mut self.process));
        });
        if let Response::Error { message } = &answer {
            panic!("{message}");
        }
        answer
    }

    /// What assistive technology sees now.
    pub(crate) fn look(&mut self) -> Look {
        loop {
            match self.ask(&Request::GetTree) {
                Response::Tree { accesskit: Some(tree), .. } => return Look::new(tree),
                Response::Tree { accesskit: None, .. } => pause(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Looks until what is wanted is there.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: &str, find: impl Fn(&Look) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let look = self.look();
            if let Some(found) = find(&look) {
                return found;
            }
            if start.elapsed() >= PATIENCE {
                let picture = self.keep_picture();
                panic!(
                    "{what} did not come; {} shows the window, it says\n{}",
                    picture.display(),
                    look.text()
                );
            }
            pause();
        }
    }

    /// Keeps a picture of the window for whoever looks into a failure.
    fn keep_picture(&mut self) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("window-{}.png", self.process.id()));
        match self.ask(&Request::GetScreenshot { pixels_per_point: None }) {
            Response::Screenshot(png) => fs::write(&path, png.bytes).expect("room for a picture"),
            other => panic!("{other:?}"),
        }
        path
    }

    /// Waits for the node of this role whose name begins so.
    #[track_caller]
    pub(crate) fn node(&mut self, role: Role, start: &str) -> Node {
        self.wait_for(&format!("{role:?} {start:?}"), |look| look.find(role, start).cloned())
    }

    fn send(&mut self, events: Vec<Event>) {
        self.ask(&Request::ApplyEvents { events });
    }

    /// Moves the pointer there, and presses or releases its first button.
    pub(crate) fn pointer(&mut self, pos: Pos2, pressed: Option<bool>) {
        let mut events = vec![Event::PointerMoved(pos)];
        events.extend(pressed.map(|pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        }));
        self.send(events);
    }

    /// Waits for the node and clicks its middle.
    #[track_caller]
    pub(crate) fn click(&mut self, role: Role, start: &str) {
        let pos = center(&self.node(role, start));
        self.click_at(pos);
    }

    /// The same, where several controls share a name and the lowest on the screen is meant.
    #[track_caller]
    pub(crate) fn click_lowest(&mut self, role: Role, start: &str) {
        self.node(role, start);
        let look = self.look();
        let named = look.nodes().filter(|node| node.role() == role && name(node).starts_with(start));
        let pos = named.map(center).max_by(|one, other| one.y.total_cmp(&other.y)).expect("it was there");
        self.click_at(pos);
    }

    fn click_at(&mut self, pos: Pos2) {
        self.pointer(pos, None);
        // In one frame, lest the screen's own pointer comes between: a press that moves is no click.
        let button = |pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        self.send(vec![Event::PointerMoved(pos), button(true), button(false)]);
    }

    /// Presses and releases a key.
    pub(crate) fn press(&mut self, modifiers: Modifiers, key: Key) {
        for pressed in [true, false] {
            self.send(vec![Event::Key { key, physical_key: None, pressed, repeat: false, modifiers }]);
        }
    }

    /// Types into what has the keyboard.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.send(vec![Event::Text(text.to_owned())]);
    }

    /// Leaves the program as a user does, and waits until it is gone.
    pub(crate) fn quit(mut self) -> ExitStatus {
        let quit = Event::Key {
            key: Key::Q,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::COMMAND,
        };
        // It may be gone before it answers.
        write_message(&mut self.port, &Request::ApplyEvents { events: vec![quit] })
            .expect("a window that listens");
        wait_for_end(&mut self.process)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What the window shows, as names and roles, in the order in which it is read aloud.
pub(crate) struct Look(Vec<Node>);

impl Look {
    fn new(tree: TreeUpdate) -> Self {
        let mut nodes: BTreeMap<NodeId, Node> = tree.nodes.into_iter().collect();
        let inner: BTreeSet<NodeId> = nodes.values().flat_map(|node| node.children().to_vec()).collect();
        let mut left: Vec<NodeId> = nodes.keys().copied().filter(|id| !inner.contains(id)).collect();
        let mut ordered = Vec::new();
        while let Some(node) = left.pop().and_then(|id| nodes.remove(&id)) {
            left.extend(node.children().iter().rev());
            ordered.push(node);
        }
        Self(ordered)
    }

    /// Every node.
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.0.iter()
    }

    /// The first node of this role whose name begins so.
    pub(crate) fn find(&self, role: Role, start: &str) -> Option<&Node> {
        self.nodes().find(|node| node.role() == role && name(node).starts_with(start))
    }

    /// Whether a text stands anywhere.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.nodes().any(|node| name(node).contains(text))
    }

    fn text(&self) -> String {
        let line = |node: &Node| format!("{:?} {}\n", node.role(), name(node));
        self.nodes().filter(|node| !name(node).is_empty()).map(line).collect()
    }
}

/// A control's name, or a label's text.
pub(crate) fn name(node: &Node) -> &str {
    node.label().filter(|label| !label.is_empty()).or_else(|| node.value()).unwrap_or_default()
}

/// Where a node is, in points.
pub(crate) fn bounds(node: &Node) -> Rect {
    node.bounds().expect("a node that is drawn")
}

fn center(node: &Node) -> Pos2 {
    let Rect { x0, y0, x1, y1 } = bounds(node);
    egui::pos2(x0.midpoint(x1) as f32, y0.midpoint(y1) as f32)
}

#[expect(clippy::disallowed_methods, reason = "another process is looked at again and again, within a bound")]
fn pause() {
    thread::sleep(PAUSE);
}

/// The program, with nothing of this machine's user.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timeglass"));
    command
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// An address that nobody listens to.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

fn connect(process: &mut Child, address: &str) -> TcpStream {
    let start = Instant::now();
    loop {
        if let Ok(port) = TcpStream::connect(address) {
            port.set_read_timeout(Some(PATIENCE)).expect("a bound for each answer");
            return port;
        }
        if let Some(status) = process.try_wait().expect("a child") {
            panic!("the window ended with {status}: {}", complaints(process));
        }
        if start.elapsed() >= PATIENCE {
            process.kill().ok();
            process.wait().ok();
            panic!("no window after {PATIENCE:?}: {}", complaints(process));
        }
        pause();
    }
}

fn complaints(process: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stream) = process.stderr.take() {
        stream.read_to_string(&mut text).ok();
    }
    text
}

fn wait_for_end(process: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = process.try_wait().expect("a child") {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "the program does not end");
        pause();
    }
}
