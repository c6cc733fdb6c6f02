//! Where configuration comes from: files, drop-ins, the environment, credentials.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    layer::{self, Nodes},
    problem::{Origin, Problem},
};

/// The configuration file of the service.
pub const DEFAULT_FILE: &str = "/etc/roomd/roomd.toml";

/// The longest configuration file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Whose secrets to read: each service runs as a user of its own and cannot read the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Those of `[room]` and `[mqtt]`.
    OfAppliance,
    /// Those of `[server]`.
    OfRoomServer,
    /// None: for the recorder, whose key comes with its task, and for lights.
    OfRecorder,
    /// All: for `check-config`.
    All,
}

impl Secrets {
    /// Whether those of this section are read.
    pub(super) fn include(self, section: &str) -> bool {
        let of_server = section.split('.').next() == Some("server");
        match self {
            Self::OfAppliance => !of_server,
            Self::OfRoomServer => of_server,
            Self::OfRecorder => false,
            Self::All => true,
        }
    }
}

/// What the configuration is made of. Tests fill it by hand, the program by [`Sources::of_system`].
#[derive(Clone, Debug)]
pub struct Sources {
    /// The main file; its drop-ins are `<file>.d/*.toml`, in the order of their names.
    pub file: PathBuf,
    /// Whether the main file must exist.
    pub file_required: bool,
    /// Variables of the environment.
    pub environment: Vec<(String, String)>,
    /// The directory of systemd credentials.
    pub credentials_directory: Option<PathBuf>,
    /// The host's name, for defaults.
    pub hostname: String,
    /// The user whose secret files are read.
    pub user_id: u32,
    /// Whose secrets to read.
    pub secrets: Secrets,
}

impl Sources {
    /// The sources of this process. `file` is what the command line named, if anything.
    #[must_use]
    pub fn of_system(file: Option<PathBuf>, secrets: Secrets) -> Self {
        let environment = env::vars_os()
            // A name that is no text is none of ours; such a value is shown to be wrong later.
            .filter_map(|(name, value)| {
                Some((
                    name.into_string().ok()?,
                    value.to_string_lossy().into_owned(),
                ))
            })
            .collect();
        Self {
            file_required: file.is_some(),
            file: file.unwrap_or_else(|| DEFAULT_FILE.into()),
            environment,
            credentials_directory: env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            hostname: hostname::get()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            user_id: effective_user(),
            secrets,
        }
    }

    /// Sources that give the defaults alone.
    #[must_use]
    pub fn none() -> Self {
        Self {
            file: PathBuf::from("/nonexistent/roomd.toml"),
            file_required: false,
            environment: Vec::new(),
            credentials_directory: None,
            hostname: "roomd".to_owned(),
            user_id: effective_user(),
            secrets: Secrets::All,
        }
    }

    /// The value of a variable, unless it is empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self.environment.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Reads every file, the lowest layer first, the environment on top; says which files there were.
    pub(super) fn layers(&self) -> (Vec<Nodes>, Vec<PathBuf>, Vec<Problem>) {
        let mut layers = Vec::new();
        let mut read = Vec::new();
        let mut problems = Vec::new();
        let mut add = |path: PathBuf, required: bool| match read_file(&path) {
            Ok(text) => {
                match layer::from_toml(&path, &text) {
                    Ok(nodes) => layers.push(nodes),
                    Err(mut of_file) => problems.append(&mut of_file),
                }
                read.push(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {}
            Err(error) => problems.push(unreadable(&path, &error)),
        };
        add(self.file.clone(), self.file_required);
        match drop_ins(&self.file) {
            Ok(paths) => paths.into_iter().for_each(|path| add(path, true)),
            Err(problem) => problems.push(*problem),
        }
        layers.push(self.environment_layer());
        (layers, read, problems)
    }

    /// `ROOMD_<SECTION>__<KEY>`: two underscores wherever the key has a dot.
    fn environment_layer(&self) -> Nodes {
        let mut nodes = Nodes::new();
        for (name, value) in &self.environment {
            if let Some(path) = name.strip_prefix("ROOMD_")
                && path.contains("__")
            {
                let path: Vec<String> =
                    path.to_lowercase().split("__").map(str::to_owned).collect();
                layer::insert_variable(&mut nodes, &path, name, value);
            }
        }
        nodes
    }
}

/// Names the variables that look like `ROOMD_ROOM_URL` and were meant to be `ROOMD_ROOM__URL`.
pub(super) fn missing_underscores(sources: &Sources, keys: &[String]) -> Vec<Problem> {
    let variables = sources.environment.iter().map(|(name, _)| name);
    let lost = |name: &&String| name.starts_with("ROOMD_") && !name.contains("__");
    variables
        .filter(lost)
        .filter_map(|name| {
            let meant = keys
                .iter()
                .find(|key| format!("ROOMD_{}", key.replace('.', "_").to_uppercase()) == *name)?;
            let variable = variable_of(meant);
            Some(Problem {
                origin: Origin::Environment {
                    variable: name.clone(),
                },
                key: meant.clone(),
                found: "one underscore between section and key".to_owned(),
                allowed: "two underscores wherever the key has a dot".to_owned(),
                remedy: format!("call it {variable}"),
            })
        })
        .collect()
}

/// The variable that overrides a key: `ROOMD_ROOM__URL` for `room.url`.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("ROOMD_{}", key.replace('.', "__").to_uppercase())
}

fn drop_ins(file: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    let mut directory = file.as_os_str().to_owned();
    directory.push(".d");
    let directory = PathBuf::from(directory);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&directory, &error).into()),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| unreadable(&directory, &error))?
            .path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        let message = format!("the file is longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    fs::read_to_string(path)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem {
        origin: Origin::File {
            path: path.to_owned(),
            line: 0,
        },
        key: String::new(),
        found: error.to_string(),
        allowed: "a file of TOML in UTF-8 that roomd may read, of at most 1 MiB".to_owned(),
        remedy: format!(
            "see `ls -l {}`; --config names another file",
            path.display()
        ),
    }
}

/// The user whom this process acts as: the owner of its entry in `/proc`.
fn effective_user() -> u32 {
    // Without `/proc` nobody is trusted: no file belongs to that user.
    fs::metadata("/proc/self").map_or(u32::MAX, |entry| entry.uid())
}
