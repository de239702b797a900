// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IBatchVerifier} from "./IBatchVerifier.sol";

/// @title The way out of a ledger that stands still
/// @notice Formats are those of docs/reference/exits.md; invariants are numbered in docs/reference/invariants.md.
///
/// Where the queue's oldest entry waits longer than HARD_DEADLINE, anyone may freeze the ledger, for good: its root never
/// changes again, and the queue takes nothing more. From then on anyone may show by a proof, against that root, what a
/// leaf or a role of a model's payee owns, each once; it is credited to its L1 owner, who finalizes it. Deposits that wait
/// in the queue go back to their senders.
///
/// What it assumes:
/// - of the circuits: that a proven exit follows docs/reference/exits.md. An unsound one could pay what the ledger owes to the
///   wrong addresses, but never more than the ledger owes (I2).
/// - of its callers: nothing. Who calls gains nothing; recipient and amount are fixed by the root.
interface IExits {
    /// @param circuit Index of the circuit that proves this exit.
    /// @param commitment C, the Poseidon commitment to the exit's four elements.
    /// @param key id 24 | payeeIndex 12 | role 1 | isPayee 1 from the low end. A leaf's own balance: its id alone.
    struct Exit {
        uint8 circuit;
        uint256 commitment;
        uint256 key;
        address recipient;
        uint96 amountWei;
    }

    /// @notice What an entry asks for; fields that its kind does not use are 0 (docs/reference/ledger.md).
    /// @param amountWei 96 bits, as a and b have 24; of kinds that move no money another number.
    struct Entry {
        uint256 kind;
        uint256 a;
        uint256 b;
        uint256 amountWei;
        uint256 word1;
        uint256 word2;
        uint256 word3;
        uint256 word4;
    }

    /// @notice What `QueueEntryAdded` said of an entry.
    struct QueueEntry {
        uint256 index;
        Entry entry;
        address sender;
    }

    /// @param root The root that all exits are proven against.
    /// @param queueHead The entry that waited too long.
    event Frozen(uint256 root, uint256 batchNumber, uint256 queueHead);

    /// @notice `recipient` can finalize `amountWei` more.
    event Exited(uint256 indexed key, address indexed recipient, uint96 amountWei);

    /// @notice A waiting entry was deleted; if it was a deposit, `sender` can finalize `refundedWei` more.
    event EntryRefunded(uint256 indexed index, address indexed sender, uint96 refundedWei);

    /// @notice The ledger is frozen: no batch, no queue entry and no randomness any more.
    error RollupFrozen();
    /// @notice The ledger is not frozen.
    error RollupNotFrozen();
    /// @notice The oldest entry, `queueHead`, does not wait longer than HARD_DEADLINE, or there is none.
    error FreezeTooEarly(uint256 queueHead);
    /// @notice This rollup has no circuit for leaves' exits, or none for payees' exits from the largest tables that its
    /// settlement circuits take: whoever could not leave would be locked in.
    error FreezeNoWayOut();
    /// @notice The circuit proves something else than exits.
    error ExitSortInvalid(uint256 circuit, uint256 sort);
    /// @notice What this key owned was credited before.
    error ExitDone(uint256 key);
    /// @notice No such entry waits: the fields are not those that were queued, or it was refunded or consumed before.
    error RefundEntryUnknown(uint256 index);

    /// @notice Freezes the ledger. Open to all once the queue's oldest entry waits longer than HARD_DEADLINE.
    /// @dev Only where the circuits let everybody leave: a rollup deployed without circuits of exits is never frozen, and
    /// its queue remains the way out.
    function freeze() external;

    /// @notice Credits what leaves and payees of the frozen ledger own. Open to all; the call takes effect whole or not.
    /// @param proofs One for each exit.
    function exit(Exit[] calldata exits, IBatchVerifier.Proof[] calldata proofs) external;

    /// @notice Deletes waiting entries of a frozen queue, in any order; deposits are credited to their senders. Open to
    /// all. Fees of forced operations stay burnable.
    function refund(QueueEntry[] calldata entries) external;

    /// @notice Whether the ledger is frozen.
    function isFrozen() external view returns (bool);

    /// @notice Whether what this key owned was credited.
    function isExited(uint256 key) external view returns (bool);
}
