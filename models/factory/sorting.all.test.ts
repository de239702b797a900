import { EMAIL_LABELS } from "@openledger/attribution/rows/sample-emails";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { collectVersion, contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { afterAll, beforeAll, expect, it } from "vitest";

it("x", () => {});
