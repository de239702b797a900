import { expect, test } from "vitest";
import { networkOf } from "./client-network.ts";

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:0:1::5", "2001:db8:0:1::/64"],
  ["2001:db8::1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"],
  ["2001:0DB8:0000:0001:a:b:c:d", "2001:db8:0:1::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
