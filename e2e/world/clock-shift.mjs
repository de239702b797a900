/**
 * Loaded before a program (`node --import`): its wall clock is the system's plus what the file DRILL_CLOCK_FILE says,
 * in milliseconds, read again at every look. Timers stay as they are, as they do where a real clock jumps.
 */
import { readFileSync, statSync } from "node:fs";

const path = process.env.DRILL_CLOCK_FILE;
const systemNow = Date.now.bind(Date);
let offsetMs = 0;
let readAtMs = 0;

function shiftMs() {
  // Reading at each call would make Date.now a system call; a jump may be seen 20 ms late.
  if (systemNow() - readAtMs < 20) return offsetMs;
  readAtMs = systemNow();
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) offsetMs = Number(readFileSync(path, "utf8")) || 0;
  return offsetMs;
}

const SystemDate = Date;
globalThis.Date = class extends SystemDate {
  constructor(...args) {
    if (args.length === 0) super(systemNow() + shiftMs());
    else super(...args);
  }
  static now() {
    return systemNow() + shiftMs();
  }
};
