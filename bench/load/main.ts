import { protocolPatch } from '../http2/protocol-loads.js';
import { loads } from './loads.js';
import { runJob } from './run-job.js';

await runJob((job) => (job.protocol === undefined ? loads[job.kind](job) : protocolPatch(job)));
