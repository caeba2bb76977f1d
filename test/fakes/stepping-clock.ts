import { readFileSync } from 'node:fs';

// Loaded before a program of its own process (`--import`): its wall clock is ahead by what a file says.
const FILE = process.env['STEPPING_CLOCK_FILE'] ?? '';
const LOOK_EVERY_MS = 20;

const realNow = Date.now;
let aheadMs = 0;

setInterval(() => {
  aheadMs = Number(readFileSync(FILE, 'utf8'));
}, LOOK_EVERY_MS).unref();
Date.now = () => realNow() + aheadMs;
