import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createRandomKey } from "@openledger/client/l2-key";
import { signRecord } from "@openledger/datanets/records/record";
import { createLabelledWorld, type LabelledWorld } from "@openledger/datanets/testing/lying-host";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fetchVersion } from "./fetch-rows.ts";

let here: LabelledWorld;
beforeAll(async () => {
  here = await createLabelledWorld();
  const key = await createRandomKey();
  here.liar.falsify = (records, path) =>
    path.includes("/records?")
      ? records.map((one) =>
          one.body.kind === "label" ? signRecord(here.dave.domain, { ...one.body, label: "bad" }, key) : one,
        )
      : records;
});
afterAll(() => here?.close());

const labelsIn = async (folder: string) =>
  (await readdir(join(folder, "contributions"))).filter((name) => name.startsWith("labels-"));

it("takes no labels that a host has signed in others' names, but those of the next host", async () => {
  const { dave, lie, place, world } = here;
  const fetch = (name: string, hosts: string[], withoutUnsigned = false) =>
    fetchVersion(
      dave,
      { hosts, withoutUnsigned, rowsFolder: join(world.folder, name) },
      { datanetId: world.datanetId, version: 2 },
    );
  await expect(fetch("alone", [lie.hostUrl])).rejects.toMatchObject({
    code: "CLI_RECORDS_UNSIGNED",
    data: { hostUrl: lie.hostUrl, count: 5 },
  });
  expect(await labelsIn(join(world.folder, "alone"))).toEqual([]);
  expect(await fetch("honest", [place.hostUrl])).toMatchObject({ rowCount: 5 });
  const [honest] = await labelsIn(join(world.folder, "honest"));
  expect(await fetch("both", [lie.hostUrl, place.hostUrl])).toMatchObject({ rowCount: 5 });
  expect(await labelsIn(join(world.folder, "both"))).toEqual([honest]);
  // The other records alone accept no label: another list than the honest one, and none of the liar's.
  await fetch("without", [lie.hostUrl], true);
  const [without] = await labelsIn(join(world.folder, "without"));
  expect(without).not.toBe(honest);
});
