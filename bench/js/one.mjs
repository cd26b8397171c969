// SPDX-License-Identifier: MIT OR Apache-2.0
/** One system on one workload in a process of its own: node bench/js/one.mjs SYSTEM WORKLOAD EF[,EF...]. Its last line is the result as JSON. */
import { K, load } from './data.mjs';
import { measure } from './measure.mjs';
import { SYSTEMS } from './systems.mjs';

function processorSeconds() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
}

const [name, workload, efs] = process.argv.slice(2);
const data = { ...load(workload), k: K, efs: efs.split(',').map(Number) };
const result = await measure(SYSTEMS[name], data, processorSeconds);
console.log(JSON.stringify({ version: SYSTEMS[name].version(), ...result }));
