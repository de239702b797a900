/** Tests of whose models a factory serves where more are asked for than it has places. */
import { expect, it } from "vitest";
import { placeFor, type ServedPlace } from "./served-places.ts";

const limits = { max: 16, maxPerAccount: 4 };
/** Places of accounts, each with so many, in turns. */
const placesOf = (counts: readonly number[]): ServedPlace[] =>
  [0, 1, 2, 3].flatMap((turn) =>
    counts.flatMap((count, leafId) => (turn < count ? [{ id: `${leafId}-${turn}`, leafId }] : [])),
  );
const ask = (leafId: number, served: readonly ServedPlace[]) =>
  placeFor({ id: "new", leafId }, served, limits);

it("gives a newcomer the place of an account that has the most, where four accounts have filled all", () => {
  expect(ask(9, placesOf([4, 4, 4, 4]))).toEqual({
    is: "given",
    by: placesOf([4, 4, 4, 4]).map(({ id }) => id),
  });
  const [one] = [placesOf([4, 4, 4, 3, 1])];
  expect(ask(9, one!)).toEqual({
    is: "given",
    by: one!.flatMap(({ id, leafId }) => (leafId < 3 ? [id] : [])),
  });
});

it("lets newcomers in until each account has one, and takes nobody's last", () => {
  let served = placesOf([4, 4, 4, 4]);
  for (let leafId = 100; leafId < 112; leafId++) {
    const place = ask(leafId, served);
    const gone = place.is === "given" ? place.by[0] : undefined;
    expect(gone).toBeDefined();
    served = [...served.filter(({ id }) => id !== gone), { id: `new-${leafId}`, leafId }];
  }
  expect(new Set(served.map(({ leafId }) => leafId)).size).toBe(16);
  expect(ask(112, served)).toEqual({ is: "full", ownCount: 0 });
});

it("has no two accounts take a place from each other in turn", () => {
  const served = placesOf([2, 2, 2, 2, 2, 2, 2, 1, 1]);
  expect(served).toHaveLength(16);
  expect(ask(7, served)).toEqual({ is: "full", ownCount: 1 });
  expect(ask(9, served).is).toBe("given");
});

it("has room while there is some, and no more for an account than its share", () => {
  expect(ask(0, placesOf([3, 2]))).toEqual({ is: "free" });
  expect(ask(0, placesOf([4]))).toEqual({ is: "full", ownCount: 4 });
  // One that is served already takes no second place.
  const full = placesOf([4, 4, 4, 4]);
  expect(placeFor(full[0]!, full, limits)).toEqual({ is: "free" });
});
