import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { expect, it } from "vitest";
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
