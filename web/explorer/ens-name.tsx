/** ENS name of an address on the explorer's pages, if Ethereum has one. */
import { useEffect, useState } from "preact/hooks";
import { type Address, isAddress } from "viem";
import { ensNameOf } from "../ledger/ens.ts";
import { l1Node } from "../ledger/l1-node.ts";
import type { PageProps } from "../ledger/page.ts";

/** Name of the address on Ethereum, if its chain has names and the address has set one. */
export function EnsName({ address, live, site }: Pick<PageProps, "live" | "site"> & { address: string }) {
  const [name, setName] = useState<string | null>(null);
  const chainId = live.info.value?.chainId;
  useEffect(() => {
    let isOver = false;
    setName(null);
    const node = l1Node(site);
    if (node === null || chainId === undefined || !isAddress(address, { strict: false })) return;
    void ensNameOf(node, chainId, address as Address).then((found) => {
      if (!isOver) setName(found);
    });
    return () => {
      isOver = true;
    };
  }, [address, chainId]);
  return name === null ? null : <span>{name}</span>;
}
