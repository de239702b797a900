// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Constants that the contracts share with circuits/protocol.ts; see docs/reference/ledger.md.

/// @dev Order of BN254's scalar field.
uint256 constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

uint256 constant MAX_LEAF_COUNT = 2 ** 24;
uint32 constant GENESIS_NEXT_ID = 2;
/// @dev Payees of a shard at most, and shards of a model's table (docs/reference/settlement.md).
uint256 constant MAX_PAYEE_COUNT = 512;
uint256 constant SHARD_COUNT_MAX = 8;

// Kinds with an effect on L1.
uint256 constant CREATE_ACCOUNT = 4;
uint256 constant CREATE_MODEL = 6;
uint256 constant WITHDRAW = 7;
uint256 constant CLOSE_EPOCH = 12;
uint256 constant SETTLE = 13;
uint256 constant ACTIVATION = 15;
uint256 constant DEPOSIT_NEW = 16;
uint256 constant DEPOSIT_TO = 17;
uint256 constant FORCED_WITHDRAW = 18;
uint256 constant FORCED_SET_KEY = 19;
uint256 constant FORCED_SET_OWNER = 20;
uint256 constant FORCED_CLAIM_REWARDS = 21;
uint256 constant FORCED_TRANSFER = 22;
uint256 constant FORCED_CLOSE_EPOCH = 23;
uint256 constant FORCED_PAY_INFERENCE = 24;
uint256 constant FORCED_REVOKE_MODEL = 25;
uint256 constant FORCED_APPROVE_MODEL = 26;
uint256 constant FORCED_COMMIT_DATA = 27;
uint256 constant FORCED_PUBLISH_VERSION = 28;

// Sorts of circuits, and what their two sizes are.

/// @dev Sizes: narrow slots, wide slots.
uint256 constant SORT_BATCH = 0;
/// @dev Of a model of one shard. Sizes: most payments an epoch, payees of the model's table.
uint256 constant SORT_SETTLEMENT = 1;
/// @dev Of one shard. Sizes: 0, payees of the shard.
uint256 constant SORT_PAYEE_TABLE = 2;
/// @dev Sizes: (0, 0) a leaf's balance; (1, payees of the shard) a payee's part.
uint256 constant SORT_EXIT = 3;
/// @dev The draws of a model of several shards. Sizes: most payments an epoch, most shards.
uint256 constant SORT_SHARDED_SETTLEMENT = 4;
/// @dev One shard of these. Sizes: 0, payees of the shard.
uint256 constant SORT_SHARD = 5;
