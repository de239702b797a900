import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runInstallDrill } from "./install-drill.ts";

it("goes from an empty chain to final batches by the operator's commands, and says what breaks", async () => {
  const folder = mkdtempSync(join(tmpdir(), "openledger-install-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const tell = (text: string) => void lines.push(text);
  const result = await runInstallDrill({ hasCeremony: false, trafficMs: 3_000, folder, tell });
  expect(result.acknowledged, lines.join("\n")).toBeGreaterThan(0);
  expect(result.finalBatches).toBeGreaterThan(0);
  expect(Object.keys(result.broken)).toHaveLength(5);
}, 1_200_000);
