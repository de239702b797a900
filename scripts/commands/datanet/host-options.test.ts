import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, it, onTestFinished, vi } from "vitest";

/** The options as a process reads them whose workspace has this file. */
async function optionsWith(endpoints: object | null) {
  const folder = mkdtempSync(join(tmpdir(), "home-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
    vi.unstubAllEnvs();
  });
  if (endpoints !== null) writeFileSync(join(folder, "endpoints.json"), JSON.stringify(endpoints));
  vi.stubEnv("OPENLEDGER_HOME", folder);
  vi.resetModules();
  const { HOST_OPTION } = await import("./host-options.ts");
  const { withOptions } = await import("../../cli/options.ts");
  return (input: string[]) => {
    const silent = { writeErr: () => {}, writeOut: () => {} };
    const command = withOptions(new Command().exitOverride().configureOutput(silent), HOST_OPTION);
    return command.parse(input, { from: "user" }).opts();
  };
}

it("knows the host of the devnet on this machine, and has to be told any other", async () => {
  const devnet = { sequencerUrl: "http://127.0.0.1:8547", datanetHost: "http://127.0.0.1:8561" };
  const known = await optionsWith(devnet);
  expect(known([])).toEqual({ host: "http://127.0.0.1:8561" });
  expect(known(["--host", "http://127.0.0.1:1"])).toEqual({ host: "http://127.0.0.1:1" });
  const unknown = await optionsWith(null);
  expect(() => unknown([])).toThrow(/--host/);
});
