import type { Command } from "commander";
export function addVerifyCommand(_program: Command): void {}
