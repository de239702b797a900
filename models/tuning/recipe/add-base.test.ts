import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { byteConfig } from "../../testing/text-rows.ts";
import { addBase, baseAddress } from "./add-base.ts";

const home = mkdtempSync(join(tmpdir(), "openledger-add-base-"));
const bases = join(home, "added");
afterAll(() => rmSync(home, { recursive: true }));
const options = { kernels: "wasm" } as const;

async function publish(name: string, card?: string): Promise<string> {
  const folder = join(home, name);
  mkdirSync(folder);
  await writeMadeModel(folder, makeModel(byteConfig, name));
  if (card !== undefined) writeFileSync(join(folder, "README.md"), card);
  return folder;
}

it("copies a base with its card, and a copy is compared with the logits that it stored", async () => {
  const from = await publish("small", "---\nlanguage: en\nlicense: apache-2.0\n---\n# small\n");
  const added = await addBase(from, bases, options);
  expect(added).toMatchObject({ name: "small", licence: "apache-2.0", largestLogitError: null });
  expect(readFileSync(join(added.folder, "model.safetensors"))).toEqual(
    readFileSync(join(from, "model.safetensors")),
  );
  await expect(addBase(from, bases, options)).rejects.toMatchObject({ code: "MOD_INPUT_INVALID" });
  const copy = await addBase(added.folder, join(home, "copies"), options);
  expect(copy.largestLogitError).toBe(0);
  expect(copy.licence).toBe("apache-2.0");

  const test = JSON.parse(readFileSync(join(added.folder, "self-test.json"), "utf8"));
  const max = Math.max(...test.logits.map(Math.abs));
  for (const [shift, isTaken] of [
    [0.01, true],
    [0.05, false],
  ] as const) {
    test.logits[3] += shift * max;
    writeFileSync(join(added.folder, "self-test.json"), JSON.stringify(test));
    const again = addBase(added.folder, join(home, `shift-${shift}`), options);
    if (isTaken) expect((await again).largestLogitError).toBeCloseTo(0.01 * max, 5);
    else
      await expect(again).rejects.toMatchObject({ code: "MOD_FILE_INVALID", data: { reason: "self-test" } });
  }
  // Nothing is left of a base that is refused.
  expect(() => readFileSync(join(home, "shift-0.05", "small", "config.json"))).toThrow("ENOENT");
});

it("refuses what is no model before it copies a byte", async () => {
  const bad = join(home, "bad");
  mkdirSync(bad);
  writeFileSync(join(bad, "config.json"), JSON.stringify({ model_type: "bert" }));
  await expect(addBase(bad, bases, options)).rejects.toMatchObject({ code: "MOD_CONFIG_UNSUPPORTED" });
  await expect(addBase(join(home, "none"), bases, options)).rejects.toMatchObject({
    code: "MOD_SOURCE_UNREADABLE",
  });
});

it("takes a name of a hub, whose files are fetched in parts", async () => {
  const from = await publish("hub-model");
  writeFileSync(join(from, "LICENSE"), "MIT License\n\nCopyright\n");
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    const prefix = "/someone/hub-model/resolve/main/";
    const name = request.url!.slice(prefix.length);
    asked.push(request.url!);
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(from, name));
    } catch {
      answer.writeHead(404).end();
      return;
    }
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
    answer.writeHead(206, { "content-range": `bytes ${start}-${end}/${bytes.length}` });
    answer.end(bytes.subarray(Number(start), Number(end) + 1));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const place = await baseAddress("someone/hub-model", hub);
    expect(place).toBe(`${hub}someone/hub-model/resolve/main`);
    expect(await baseAddress(home, hub)).toBe(home);
    process.env.HF_ENDPOINT = hub;
    const added = await addBase("someone/hub-model", bases, options);
    expect(added).toMatchObject({ name: "hub-model", licence: "MIT License" });
    expect(asked.every((path) => path.startsWith("/someone/hub-model/resolve/main/"))).toBe(true);
  } finally {
    delete process.env.HF_ENDPOINT;
    server.close();
  }
});
