//! Names the machine that the figures are of.

/// Prints cores, processor and memory.
pub fn print() {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = read("/proc/meminfo");
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("unknown").trim();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("machine: {cores} cores, {}, {total}", model.trim_start_matches([' ', '\t', ':']));
    println!("load generator, server and Postgres share it; fsync, full_page_writes and synchronous_commit are on\n");
}
