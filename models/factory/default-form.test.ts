/** Tests of the settings that the factory proposes for rows. */
import { expect, it } from "vitest";
import { baseSourceAt, OWN_BASE } from "../tuning/base/base-address.ts";
import { describeBase } from "../tuning/recipe/base-files.ts";
import { checkForm, defaultForm, stepsOf } from "./default-form.ts";
import type { WriteForm } from "./factory-api.ts";
import type { StoredBase, StoredDataset } from "./store/factory-records.ts";

const choice = { size: null, whyNot: "no circuit", features: 256 };
const datasetOf = (view: object) =>
  ({ view: { datanet: null, further: [], people: [], ...view } }) as unknown as StoredDataset;

it("names a model that sorts otherwise than its Datanet, however long the name", async () => {
  const labels = ["ham", "spam"].map((name) => ({ name, rowCount: 4 }));
  const nameOf = async (name: string) =>
    (await defaultForm(null, datasetOf({ name, labels, rowKind: "text", rowCount: 8 }), choice, false)).form
      .name;
  expect(await nameOf("Clauses of contracts")).toBe("Clauses of contracts classifier");
  expect(await nameOf("x".repeat(80))).toBe(`${"x".repeat(69)} classifier`);
});

it("goes through twelve questions with answers 25 times", async () => {
  const files = await describeBase(baseSourceAt(OWN_BASE), "base");
  const base = { place: OWN_BASE, files, view: { id: "own", name: "base" } } as unknown as StoredBase;
  const questions = datasetOf({ name: "Questions", labels: null, rowKind: "passage", rowCount: 12 });
  const { form } = await defaultForm(base, questions, choice, true);
  expect(form).toMatchObject({ name: "Questions on base", rounds: 25, citationPercent: 50 });
  expect(stepsOf(form as WriteForm, 12)).toBe(38);
});

it("publishes rows of permissioned Datanets only where a field of its own says so", async () => {
  const labels = ["ham", "spam"].map((name) => ({ name, rowCount: 4 }));
  const version = (id: number, isPublic: boolean) => ({ id, isPublic });
  const proposed = async (...access: readonly boolean[]) => {
    const [datanet, ...further] = access.map((isPublic, id) => version(id, isPublic));
    const dataset = datasetOf({ name: "Mails", labels, rowKind: "text", rowCount: 8, datanet, further });
    const { form, isPermissioned } = await defaultForm(null, dataset, choice, false);
    const check = (changes: object) =>
      checkForm({ ...form, ...changes }, { base: null, dataset, maxSteps: 1_000 });
    return { form, isPermissioned, check };
  };
  for (const access of [[false], [true, false]]) {
    const { check, form, isPermissioned } = await proposed(...access);
    expect([form.publishRows, isPermissioned]).toEqual([false, true]);
    check({});
    expect(() => check({ publishRows: true })).toThrow(/permissioned Datanet/);
    check({ publishRows: true, publishPermissionedRows: true });
  }
  const { check, form, isPermissioned } = await proposed(true, true);
  expect([form.publishRows, isPermissioned]).toEqual([true, false]);
  check({});
});
