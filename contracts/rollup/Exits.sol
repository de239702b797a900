// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchVerifier} from "./BatchVerifier.sol";
import {deriveChallenge} from "./ElementVector.sol";
import {IExits} from "./IExits.sol";
import {DEPOSIT_TO, FORCED_WITHDRAW, R, SORT_EXIT} from "./Protocol.sol";
import {RollupQueue} from "./RollupQueue.sol";

/// @title Freezing, and what a frozen ledger pays out
/// @dev Documentation is in IExits.
abstract contract Exits is BatchVerifier, RollupQueue {
    /// @dev 256 keys a word: bit key % 256 of word key / 256.
    mapping(uint256 wordIndex => uint256) private _exited;

    /// @inheritdoc IExits
    function freeze() external nonReentrant {
        State memory current = _state;
        if (current.isFrozen) revert RollupFrozen();
        uint256 entry = queueEntries[current.queueHead];
        // freeze: open to all once the oldest entry waits longer than HARD_DEADLINE.
        if (entry == 0 || uint40(entry) + HARD_DEADLINE >= block.timestamp) {
            revert FreezeTooEarly(current.queueHead);
        }
        if (!_hasWaysOut) revert FreezeNoWayOut();
        _state.isFrozen = true;
        emit Frozen(current.root, current.batchNumber, current.queueHead);
    }

    /// @inheritdoc IExits
    function exit(Exit[] calldata exits, Proof[] calldata proofs) external nonReentrant {
        if (!_state.isFrozen) revert RollupNotFrozen();
        uint256 keys = _loadKeys();
        uint256 restWei = ledgerWei;
        uint256 statements = _newStatements(exits.length);
        uint256 root = _state.root;
        for (uint256 i = 0; i < exits.length; ++i) {
            Exit calldata leaving = exits[i];
            _fillStatement(keys, leaving, root, _statementAt(statements, i));
            _markExited(leaving.key);
            uint256 amountWei = leaving.amountWei;
            if (amountWei > restWei) revert RollupLedgerExceeded(amountWei, restWei);
            restWei -= amountWei;
            pendingWithdrawals[leaving.recipient] += amountWei;
            emit Exited(leaving.key, leaving.recipient, leaving.amountWei);
        }
        ledgerWei = restWei;
        _verify(keys, statements, exits.length, proofs);
    }

    /// @dev What the proof of `leaving` must show (I5, I13). The root is below R.
    function _fillStatement(
        uint256 keys,
        Exit calldata leaving,
        uint256 root,
        Statement memory statement
    ) private view {
        (bytes32 circuitId, uint256 sort,,) = _circuit(keys, leaving.circuit);
        if (sort != SORT_EXIT) revert ExitSortInvalid(leaving.circuit, sort);
        if (leaving.key >= R) revert RollupElementOutOfField();
        bytes32 elementsHash =
            keccak256(abi.encode(root, leaving.key, leaving.recipient, leaving.amountWei));
        uint256 z = deriveChallenge(circuitId, leaving.commitment, elementsHash);
        statement.circuit = leaving.circuit;
        // Checked to be below R with the other inputs of the proof.
        statement.commitment = leaving.commitment;
        statement.challenge = z;
        // Σ E_i z^i by Horner's rule. Sums of two elements stay below 2^255.
        uint256 y = mulmod(leaving.amountWei, z, R) + uint160(leaving.recipient);
        y = mulmod(y, z, R) + leaving.key;
        statement.evaluation = addmod(mulmod(y, z, R), root, R);
    }

    function _markExited(uint256 key) private {
        if (isExited(key)) revert ExitDone(key);
        _exited[key >> 8] |= 1 << (key & 0xff);
    }

    /// @inheritdoc IExits
    function refund(QueueEntry[] calldata entries) external nonReentrant {
        if (!_state.isFrozen) revert RollupNotFrozen();
        Totals memory totals = _totals;
        for (uint256 i = 0; i < entries.length; ++i) {
            Entry memory entry = _copy(entries[i].entry);
            uint256 index = entries[i].index;
            uint256 sender = uint160(entries[i].sender);
            uint256 hash = _entryHash(index, entry, sender);
            // 216 bits decide, as where a batch consumes an entry. Of one that does not wait they are 0.
            if ((queueEntries[index] ^ hash) >> ENTRY_TIME_BITS != 0) {
                revert RefundEntryUnknown(index);
            }
            delete queueEntries[index];
            uint96 refundedWei = 0;
            if (entry.kind <= DEPOSIT_TO) {
                // What the hash binds has 96 bits.
                refundedWei = uint96(entry.amountWei);
                totals.depositCount -= 1;
                totals.depositWei -= refundedWei;
                pendingWithdrawals[address(uint160(sender))] += refundedWei;
            } else if (entry.kind == FORCED_WITHDRAW) {
                delete _openForcedWithdrawals[_idAndSender(entry.a, sender)];
            }
            emit EntryRefunded(index, address(uint160(sender)), refundedWei);
        }
        _totals = totals;
    }

    /// @inheritdoc IExits
    function isFrozen() external view returns (bool) {
        return _state.isFrozen;
    }

    /// @inheritdoc IExits
    function isExited(uint256 key) public view returns (bool) {
        return _exited[key >> 8] >> (key & 0xff) & 1 == 1;
    }
}
