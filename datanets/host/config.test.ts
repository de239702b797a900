import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { expect, it, onTestFinished } from "vitest";
import { loadHostConfig } from "./config.ts";

it("takes the largest picture that models read by default, in one request", () => {
  const { maxChunkBytes, maxRowBytes } = loadHostConfig({
    DATANET_DEPLOYMENT_PATH: "deployment.json",
    DATANET_SEQUENCER_URL: "http://127.0.0.1:1",
    DATANET_DATABASE_URL: "postgres://127.0.0.1:1/datanets",
  });
  expect(maxRowBytes).toBe(MAX_PICTURE_BYTES);
  expect(maxChunkBytes).toBeGreaterThan(maxRowBytes + 1_024);
});

it("leads who has an earlier version's settings to what to do, and names its folder if it has rows", () => {
  const folder = mkdtempSync(join(tmpdir(), "earlier-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const load = () => loadHostConfig({ DATANET_DATA_PATH: folder });
  expect(load).toThrow(
    "DATANET_DATA_PATH is no setting any more: what a host stores is in PostgreSQL; docs/how-to/upgrade.md says what to do",
  );
  mkdirSync(join(folder, "store"));
  expect(load).toThrow(
    expect.objectContaining({
      code: "SRV_STORE_FORMAT",
      message: expect.stringMatching(/datanet upload ID --from URL .*docs\/how-to\/upgrade\.md/),
    }),
  );
});

it("takes no query in a URL to which paths are added", () => {
  const settings = {
    DATANET_DEPLOYMENT_PATH: "deployment.json",
    DATANET_SEQUENCER_URL: "http://127.0.0.1:1/ledger/",
    DATANET_PUBLIC_URL: "https://datanets.example/hosted",
  };
  expect(loadHostConfig(settings).sequencerUrl).toBe("http://127.0.0.1:1/ledger/");
  for (const name of ["DATANET_SEQUENCER_URL", "DATANET_PUBLIC_URL"])
    for (const url of ["http://127.0.0.1:1/?key=1", "http://127.0.0.1:1/#top"])
      expect(() => loadHostConfig({ ...settings, [name]: url }), url).toThrow(
        expect.objectContaining({ code: "SRV_CONFIG_INVALID", message: expect.stringContaining(name) }),
      );
});
