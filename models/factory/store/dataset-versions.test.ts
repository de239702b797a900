import { createRandomKey } from "@openledger/client/l2-key";
import { signRecord } from "@openledger/datanets/records/record";
import { createLabelledWorld, type LabelledWorld } from "@openledger/datanets/testing/lying-host";
import { afterAll, beforeAll, expect, it } from "vitest";
import { datasetRequestSchema } from "../factory-api.ts";
import { readVersions } from "./dataset-versions.ts";

let here: LabelledWorld;
beforeAll(async () => {
  here = await createLabelledWorld();
});
afterAll(() => here?.close());

it("makes no data set of labels that a host has signed in others' names, but of the others where that is said", async () => {
  const { dave, digests, lie, liar, place } = here;
  const key = await createRandomKey();
  const read = (at: typeof lie, withoutUnsigned?: boolean) =>
    readVersions(dave, [{ ...at, version: null }], withoutUnsigned);
  const honest = await read(place);
  expect(honest.rows.map(({ label }) => label)).toEqual(Array(5).fill("good"));
  liar.falsify = (records, path) =>
    path.includes("/records?")
      ? [
          ...records,
          ...records.flatMap(({ body }) =>
            body.kind === "label"
              ? [signRecord(dave.domain, { ...body, label: "bad", atMs: body.atMs + 1 }, key)]
              : [],
          ),
        ]
      : records;
  await expect(read(lie)).rejects.toMatchObject({
    code: "CLI_RECORDS_UNSIGNED",
    data: { hostUrl: lie.hostUrl, count: digests.length },
  });
  const { labelsRoots, rows } = await read(lie, true);
  expect([labelsRoots, rows]).toEqual([honest.labelsRoots, honest.rows]);
  // The form's field, which is absent by default.
  const request = { kind: "datanet", ...lie, version: null };
  expect(datasetRequestSchema.parse(request)).not.toHaveProperty("withoutUnsigned");
  expect(datasetRequestSchema.parse({ ...request, withoutUnsigned: true })).toHaveProperty("withoutUnsigned");
});
