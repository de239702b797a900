/**
 * Setup of each test file: the arithmetic that its subject runs on, and for the next file of the same process the environment and
 * globals that it would have alone.
 */
import { chooseTestField } from "@openledger/circuits/testing/test-field";
import { afterAll, expect, vi } from "vitest";

chooseTestField(expect.getState().testPath!);

const environment = { ...process.env };

afterAll(() => {
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(environment, name)) delete process.env[name];
  Object.assign(process.env, environment);
});
