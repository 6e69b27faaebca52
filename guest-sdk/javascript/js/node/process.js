// The module `process`.

import { process } from "runtime:process";

export default process;
export const { argv, env, nextTick, stdout, stderr, platform, pid, version, versions } = process;
export const exit = process.exit.bind(process);
export const cwd = process.cwd.bind(process);
export const hrtime = process.hrtime;
export const uptime = process.uptime.bind(process);
