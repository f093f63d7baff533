//! Links the unwinder of GCC into the program, so that it needs nothing of the machine but its C library: Rust's standard library
//! names it as a shared one. Where the compiler has no static one, it stays shared.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let here = env::var("HOST").ok() == env::var("TARGET").ok();
    if !(here && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        return Ok(());
    }
    let (Some(unwinder), Some(helpers)) = (of_compiler("libgcc_eh.a"), of_compiler("libgcc.a")) else { return Ok(()) };
    // A linker takes a text of this form for the library of that name.
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("libgcc_s.so"), format!("GROUP({} {})\n", unwinder.display(), helpers.display()))?;
    println!("cargo:rustc-link-search=native={}", out.display());
    Ok(())
}

/// A library that the C compiler brings along.
fn of_compiler(name: &str) -> Option<PathBuf> {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // A compiler that doesn't know the library gives its bare name back.
    (path.parent() != Some(Path::new("")) && path.is_file()).then_some(path)
}
