import { flagsDoc } from './flags-help.js';

// Run by hand whenever the table of flags has changed.
process.stdout.write(flagsDoc());
