/** Setup of each test file: gives the next file of the same process the environment and globals that it would have alone. */
import { afterAll, vi } from "vitest";

const environment = { ...process.env };

afterAll(() => {
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(environment, name)) delete process.env[name];
  Object.assign(process.env, environment);
});
