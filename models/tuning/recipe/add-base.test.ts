import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { type HubFaults, startHub } from "../../testing/hub-server.ts";
import { converted, encodeGguf } from "../../testing/made-gguf.ts";
import { makeModel, writeMadeModel, writeShardedModel } from "../../testing/made-models.ts";
import { byteConfig } from "../../testing/text-rows.ts";
import { addBase, planBase } from "./add-base.ts";
import { describeBase, openBase, readFrom } from "./base-files.ts";

const home = mkdtempSync(join(tmpdir(), "openledger-add-base-"));
const bases = join(home, "added");
afterAll(() => rmSync(home, { recursive: true }));
const options = { kernels: "wasm" } as const;
const CHILD = fileURLToPath(new URL("../../testing/add-base-child-entry.js", import.meta.url));
/** A model of several chunks. */
const LARGE = { ...byteConfig, hidden_size: 256, intermediate_size: 1_024, num_hidden_layers: 2 } as const;

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

it("copies a base whose weights are GGUF, and its recipe names that file", async () => {
  const made = makeModel(byteConfig, "gguf");
  const { head, parts } = converted(made);
  const from = join(home, "gguf");
  mkdirSync(from);
  writeFileSync(join(from, "config.json"), JSON.stringify(made.config));
  writeFileSync(join(from, "model.gguf"), encodeGguf(head, parts));
  const added = await addBase(from, bases, options);
  const logits = (folder: string) => JSON.parse(readFileSync(join(folder, "self-test.json"), "utf8")).logits;
  const plain = join(home, "gguf-as-safetensors");
  await writeMadeModel(plain, made);
  const other = await addBase(plain, bases, options);
  expect(logits(added.folder)).toEqual(logits(other.folder));

  const base = await describeBase(folderSource(added.folder), "gguf");
  expect(Object.keys(base.files)).toEqual(["config.json", "model.gguf"]);
  const opened = await openModel(await openBase(base, [readFrom(folderSource(added.folder))]));
  await opened.close();
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

describe("a hub's model", () => {
  /** A hub with one model, "someone/NAME". */
  async function hubWith(name: string, faults: HubFaults = {}) {
    const from = await publish(name);
    writeFileSync(join(from, "LICENSE"), "MIT License\n\nCopyright\n");
    const hub = await startHub(`someone/${name}`, from, faults);
    onTestFinished(() => hub.close());
    return { from, ...hub };
  }

  it("is pinned by its commit, sized before, and copied from where the hub leads, byte for byte", async () => {
    const { asked, commit, from, hub } = await hubWith("hub-model");
    const plan = await planBase("someone/hub-model", bases, { hub });
    expect(plan).toMatchObject({ name: "hub-model", commit, licence: "MIT License", family: "llama" });
    expect(plan.memoryBytes).toBe(4 * plan.parameterCount);
    expect(existsSync(join(bases, "hub-model"))).toBe(false);
    const progress: number[] = [];
    const onProgress = ({ done }: { readonly done: number }) => progress.push(done);
    const added = await addBase("someone/hub-model@main", bases, { ...options, hub, onProgress });
    expect(added).toMatchObject({ name: "hub-model", commit, licence: "MIT License" });
    expect(added.sizeBytes).toBe(plan.sizeBytes);
    expect(progress.at(-1)).toBe(plan.sizeBytes);
    for (const file of ["config.json", "model.safetensors", "LICENSE"])
      expect(readFileSync(join(added.folder, file))).toEqual(readFileSync(join(from, file)));
    const isOfCommit = ({ path }: { readonly path: string }) =>
      path.startsWith("/api/models/someone/hub-model/") || path.includes(`/${commit}/`);
    expect(asked.filter((one) => !isOfCommit(one))).toEqual([]);
    expect(existsSync(join(added.folder, "download.part.json"))).toBe(false);
  });

  it("is copied with the shards of its index, by a revision that is pinned to its commit", async () => {
    const from = join(home, "sharded");
    await writeShardedModel(from, makeModel(byteConfig, "sharded"));
    writeFileSync(join(from, "README.md"), "---\nlicense: apache-2.0\nlanguage:\n- de\n---\n# Sharded\n");
    const tagged = "ab".repeat(20);
    const { asked, commit, close, hub } = await startHub("someone/sharded", from, {
      revisions: { "v1.0": tagged },
    });
    onTestFinished(() => close());
    expect(await planBase("someone/sharded", bases, { hub })).toMatchObject({
      commit,
      licence: "apache-2.0",
    });
    asked.length = 0;
    const added = await addBase("someone/sharded@v1.0", bases, { ...options, hub });
    expect(added).toMatchObject({ name: "sharded", commit: tagged, licence: "apache-2.0" });
    expect(asked.filter(({ path }) => path.includes(commit))).toEqual([]);
    const shards = [1, 2].map((shard) => `model-0000${shard}-of-00002.safetensors`);
    for (const file of ["config.json", "model.safetensors.index.json", "README.md", ...shards])
      expect(readFileSync(join(added.folder, file)), file).toEqual(readFileSync(join(from, file)));
    const { files } = await describeBase(folderSource(added.folder), "sharded");
    expect(Object.keys(files)).toEqual(expect.arrayContaining(["model.safetensors.index.json", ...shards]));
    await expect(planBase("someone/sharded@v2", join(home, "none-yet"), { hub })).rejects.toMatchObject({
      code: "MOD_SOURCE_UNREADABLE",
      data: { reason: "unknown" },
    });
  });

  it("is refused with what to do where it is gated, unknown, renamed, or no hub answers", async () => {
    const gated = await hubWith("gated", { token: "hf_token" });
    const refusal = (source: string, hub: string, token: string | null = null) =>
      planBase(source, bases, { hub, token }).then(
        () => null,
        ({ code, data, message }) => `${code} ${data.reason}: ${message}`,
      );
    expect(await refusal("someone/gated", gated.hub)).toMatch(
      /^MOD_SOURCE_UNREADABLE gated: .*accept its terms there.*set HF_TOKEN/,
    );
    expect(await refusal("someone/gated", gated.hub, "other")).toMatch(
      /check that HF_TOKEN is of that account/,
    );
    expect(await refusal("someone/gated", gated.hub, "hf_token")).toBeNull();
    expect(await refusal("someone/none", gated.hub)).toMatch(
      /^MOD_SOURCE_UNREADABLE unknown: .*check the name/,
    );
    expect(await refusal("someone/renamed", gated.hub)).toMatch(/moved: .*other-name/);
    expect(await refusal("someone/model", "http://127.0.0.1:1")).toMatch(
      /^MOD_SOURCE_UNREADABLE unreachable: .*name the folder of the model's files/,
    );
  });

  it("with a wrong byte is refused, and that file alone is fetched again", async () => {
    const { bytesAskedOf, faults, hub } = await hubWith("wrong", { wrongByteOf: "model.safetensors" });
    await expect(addBase("someone/wrong", bases, { ...options, hub })).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      data: { reason: "bytes-differ" },
    });
    expect(existsSync(join(bases, "wrong"))).toBe(false);
    expect(existsSync(join(bases, "wrong.part", "model.safetensors"))).toBe(false);
    delete faults.wrongByteOf;
    bytesAskedOf("model.safetensors");
    const { folder } = await addBase("someone/wrong", bases, { ...options, hub });
    expect(existsSync(join(folder, "model.safetensors"))).toBe(true);
    // A small file is git's own, which has a hash, too.
    const small = await hubWith("wrong-small", { wrongByteOf: "LICENSE" });
    await expect(addBase("someone/wrong-small", bases, { ...options, hub: small.hub })).rejects.toMatchObject(
      { code: "MOD_FILE_INVALID", data: { reason: "bytes-differ" } },
    );
  });

  it("with a file that its store does not have is refused", async () => {
    const { hub } = await hubWith("lost", { lostFile: "model.safetensors" });
    await expect(addBase("someone/lost", bases, { ...options, hub })).rejects.toMatchObject({
      code: "MOD_SOURCE_UNREADABLE",
    });
  });

  it("is continued after a cut connection, and after a kill where it was killed", async () => {
    const name = "long";
    const from = join(home, name);
    mkdirSync(from);
    await writeMadeModel(from, makeModel(LARGE, name));
    const { length } = readFileSync(join(from, "model.safetensors"));
    const hub = await startHub(`someone/${name}`, from, { hangsAt: 5 * 2 ** 20 });
    onTestFinished(() => hub.close());
    const child = spawn(process.execPath, [CHILD, `someone/${name}`, bases, hub.hub], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    for await (const line of createInterface(child.stdout!)) if (Number(line) > 4 * 2 ** 20) break;
    child.kill("SIGKILL");
    await ended;
    delete hub.faults.hangsAt;
    hub.faults.cutsOf = { "model.safetensors": 1 };
    hub.bytesAskedOf("model.safetensors");
    const { folder } = await addBase(`someone/${name}`, bases, { ...options, hub: hub.hub });
    expect(hub.faults.cutsOf).toEqual({ "model.safetensors": 0 });
    const copied = readFileSync(join(folder, "model.safetensors"));
    expect(copied.equals(readFileSync(join(from, "model.safetensors")))).toBe(true);
    // The rest, once more the chunk that was cut, and the head.
    expect(hub.bytesAskedOf("model.safetensors")).toBeLessThan(length + 2 ** 20);
  }, 60_000);
});
