import type { SortForm } from "@openledger/models/factory/factory-api";
import { expect, it } from "vitest";
import { formOf, typedOf } from "./typed-form.ts";

const form: SortForm = {
  use: "predict",
  name: "Churn",
  seed: "factory",
  ownerPercent: 20,
  validatorPercent: 12.5,
  predecessorId: 0,
  publishRows: true,
  decay: null,
  folds: 5,
};

it("names the fields of a table that count where somebody has chosen, and leaves them to the factory else", () => {
  const typed = typedOf(form);
  expect(typed.countedFields).toBeNull();
  expect(formOf(typed, form)).toEqual({ ...form, modelUse: "paid" });
  expect(formOf({ ...typed, countedFields: ["age", "plan"] }, form)).toMatchObject({
    countedFields: ["age", "plan"],
  });
  // A model of nothing cannot begin.
  expect(formOf({ ...typed, countedFields: [] }, form)).toBeNull();
  // A draft of an earlier page, and a form that names its fields.
  const { countedFields: _, ...earlier } = typed;
  expect(formOf(earlier, form)).not.toHaveProperty("countedFields");
  expect(typedOf({ ...form, countedFields: ["age"] }).countedFields).toEqual(["age"]);
});
