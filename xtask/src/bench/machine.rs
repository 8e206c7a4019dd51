//! When and on what the measurements were made.

use std::{fs, process::Command, thread};

use anyhow::Result;

use crate::process;

/// Date, processor, cores and compiler, as a list.
pub fn described() -> Result<String> {
    let line = |command: &mut Command| Ok::<_, anyhow::Error>(process::capture(command)?.trim().to_owned());
    let date = line(process::command("date").args(["-u", "+%Y-%m-%d"]))?;
    let system = line(process::command("uname").args(["-s", "-m"]))?;
    let compiler = line(process::command("rustc").arg("--version"))?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model(&text));
    let processor = processor.unwrap_or_else(|| "unknown processor".into());
    Ok(format!("- Date: {date}\n- Machine: {processor}, {cores} cores, {system}\n- Compiler: {compiler}\n"))
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Fast 9000\n";
        assert_eq!(model(cpuinfo).as_deref(), Some("Fast 9000"));
        assert_eq!(model("Hardware: other"), None);
    }
}
