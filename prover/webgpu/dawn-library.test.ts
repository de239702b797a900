import { expect, test } from "vitest";
import { openTestDevice } from "../testing/webgpu.fixtures.ts";
import { GpuDevice } from "./gpu-device.ts";

test("opens the software adapter in a process that has looked for a card", async () => {
  const card = await GpuDevice.open("hardware").catch(() => null);
  const software = await openTestDevice();
  expect(software.isSoftware).toBe(true);
  software.close();
  card?.close();
});
