import { loads } from './loads.js';
import { runJob } from './run-job.js';

await runJob((job) => loads[job.kind](job));
