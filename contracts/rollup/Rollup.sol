// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchElements} from "./BatchElements.sol";
import {BatchVerifier, STATEMENT_SIZE} from "./BatchVerifier.sol";
import {BLOB_OPENING_SIZE, openBlob} from "./BlobOpening.sol";
import {deriveChallenge} from "./ElementVector.sol";
import {Exits} from "./Exits.sol";
import {IRollup} from "./IRollup.sol";
import {loadWord, storeWord} from "./MemoryWords.sol";
import {
    CREATE_ACCOUNT,
    CREATE_MODEL,
    DEPOSIT_NEW,
    DEPOSIT_TO,
    FORCED_CLOSE_EPOCH,
    FORCED_PUBLISH_VERSION,
    FORCED_WITHDRAW,
    ACTIVATION,
    R,
    CLOSE_EPOCH,
    SETTLE,
    SORT_BATCH,
    WITHDRAW
} from "./Protocol.sol";
import {RollupQueue} from "./RollupQueue.sol";
import {SettlementRecord} from "./settlements/SettlementElements.sol";
import {SettlementReader} from "./settlements/SettlementReader.sol";
import {Settlements} from "./settlements/Settlements.sol";

/// @title Rollup
/// @dev Documentation is in IRollup. One call of submitBatches keeps all state in memory (`Run`) and writes each
/// storage word once at its end, however many batches it applies.
contract Rollup is Settlements, Exits {
    using BatchElements for BatchElements.Elements;

    /// @dev Entries that a batch must take once they are overdue.
    uint256 private constant MIN_OVERDUE_TAKEN = 8;
    /// @dev Position of `valid` in a wide core.
    uint256 private constant VALID_BIT = 93;

    /// @dev What one call of submitBatches works on.
    struct Run {
        State state;
        Totals totals;
        uint256 ledgerWei;
        uint256 domain;
        uint256 keys;
        /// @dev Address of those of the batches, then of those of the entries of settlements that are not pre-verified.
        uint256 statements;
        uint256 statementCount;
        /// @dev Entries of settlements that records have taken, and the address of the next free statement for one.
        uint256 takenCount;
        uint256 nextStatement;
        /// @dev Places in the calldata of the call's settlements and proofs. Here, since the stack is full.
        uint256 settlementsAt;
        uint256 settlementCount;
        uint256 proofsAt;
        /// @dev Blobs of the transaction that batches have taken, in their order.
        uint256 blobCount;
        bool isSequencer;
        bool isPlainCall;
    }

    constructor(RollupConfig memory config)
        BatchVerifier(config.circuits, type(SettlementReader).runtimeCode)
        RollupQueue(config)
    {}

    /// @inheritdoc IRollup
    function submitBatches(
        Batch[] calldata batches,
        Settlement[] calldata settlements,
        Proof[] calldata proofs
    ) external nonReentrant {
        uint256 count = batches.length;
        if (count == 0) revert RollupNoBatches();
        uint256 statementCount = count;
        for (uint256 i = 0; i < settlements.length; ++i) {
            if (settlements[i].data.length != 0) ++statementCount;
        }
        if (statementCount != proofs.length) revert RollupProofCountMismatch(statementCount, proofs.length);
        Run memory run = Run({
            state: _state,
            totals: _totals,
            ledgerWei: ledgerWei,
            domain: domain(),
            keys: _loadKeys(),
            statements: _newStatements(statementCount),
            statementCount: statementCount,
            takenCount: 0,
            nextStatement: 0,
            settlementsAt: 0,
            settlementCount: settlements.length,
            proofsAt: 0,
            blobCount: 0,
            isSequencer: msg.sender == sequencer,
            // Without code of its own the origin can only have called this contract itself, so that the
            // transaction's input is this call's.
            isPlainCall: msg.sender == tx.origin && msg.sender.code.length == 0
        });
        if (run.state.isFrozen) revert RollupFrozen();
        uint256 settlementsAt;
        uint256 proofsAt;
        assembly ("memory-safe") {
            settlementsAt := settlements.offset
            proofsAt := proofs.offset
        }
        (run.settlementsAt, run.proofsAt) = (settlementsAt, proofsAt);
        run.nextStatement = run.statements + STATEMENT_SIZE * count;
        uint256 freeMemory = loadWord(0x40);
        for (uint256 i = 0; i < count; ++i) {
            _applyBatch(run, batches[i], _statementAt(run.statements, i));
            // The next batch's elements take the same place: memory costs more than linearly.
            storeWord(0x40, freeMemory);
        }
        if (run.takenCount != run.settlementCount) {
            revert SettlementUnused(run.takenCount, run.settlementCount);
        }
        _writeState(run);
        // proofs checked: those of all batches and settlements at once. A wrong one reverts the whole call.
        _verify(run.keys, run.statements, run.statementCount, _proofs(run.proofsAt, run.statementCount));
    }

    /// @dev Fills `statement` with what the batch's proof must show, and applies the batch to `run` (I4, I5).
    function _applyBatch(Run memory run, Batch calldata batch, Statement memory statement) private {
        State memory current = run.state;
        (, uint256 sort, uint256 narrow, uint256 wide) = _circuit(run.keys, batch.circuit);
        if (sort != SORT_BATCH) revert RollupCircuitSortInvalid(batch.circuit, sort);
        if (batch.commitment >= R) revert RollupElementOutOfField();

        bytes calldata data = batch.data;
        bool hasBlob = _hasBlob(run.keys, batch.circuit);
        if (hasBlob) {
            // What a narrow slot posts stands in the blob.
            narrow = 0;
            // The opening behind the rest is for openBlob. Of shorter data the length wraps around, and no batch is so long.
            assembly ("memory-safe") {
                data.length := sub(data.length, BLOB_OPENING_SIZE)
            }
        }
        BatchElements.Elements memory elements =
            BatchElements.read(data, current, run.domain, idFeeWei, narrow, wide);
        if (!run.isSequencer) _checkStranger(current.queueHead, elements);
        _checkTimestamp(elements.timestamp, current.timestamp);

        statement.circuit = batch.circuit;
        statement.commitment = batch.commitment;
        bytes32 elementsHash = elements.hash();
        bytes32 versionedHash;
        if (hasBlob) {
            versionedHash = _takeBlob(run);
            elementsHash = keccak256(abi.encode(elementsHash, versionedHash));
        }
        statement.challenge =
            deriveChallenge(_circuitId(run.keys, batch.circuit), batch.commitment, elementsHash);
        if (hasBlob) {
            (statement.blobLow, statement.blobHigh) = openBlob(data, versionedHash, statement.challenge);
        }
        statement.evaluation = elements.evaluate(statement.challenge);

        uint256 oldRoot = current.root;
        uint256 oldHead = current.queueHead;
        current.root = elements.newRoot;
        current.batchNumber += 1;
        // Narrowing casts: at most MAX_LEAF_COUNT, 16 and 40 bits as BatchElements read them.
        current.nextId = uint32(elements.newNextId);
        current.opIndex += uint40(elements.signedCount);
        current.timestamp = uint40(elements.timestamp);
        _applyWide(run, elements);

        uint256 consumedCount = current.queueHead - oldHead;
        // Entries are in order of time: if the next one is not overdue, no later one is.
        if (consumedCount < MIN_OVERDUE_TAKEN && consumedCount < wide && isOverdue(current.queueHead)) {
            revert RollupOverdueEntryLeft(current.queueHead, consumedCount);
        }
        emit BatchAccepted(
            current.batchNumber,
            batch.circuit,
            oldRoot,
            current.root,
            current.opIndex,
            current.queueHead
        );
        if (!run.isPlainCall) emit BatchData(current.batchNumber, batch.data);
    }

    /// @dev The next blob of the transaction. Whoever reads the batch later finds its hash in the transaction: so the call
    /// has to be the transaction's own.
    function _takeBlob(Run memory run) private view returns (bytes32 versionedHash) {
        uint256 index = run.blobCount++;
        versionedHash = blobhash(index);
        if (versionedHash == 0 || !run.isPlainCall) revert RollupBlobMissing(index, run.isPlainCall);
    }

    /// @dev Who is not the sequencer may carry on an overdue queue, or overdue pre-verified settlements (I8, I12); signed
    /// operations, and with them everything that a narrow slot can hold, are the sequencer's.
    function _checkStranger(uint256 queueHead, BatchElements.Elements memory elements) private view {
        // who may post: the sequencer anything, everybody else overdue entries and pre-verified settlements.
        if (!isOverdue(queueHead)) {
            bool isSettling = elements.wideCount != 0;
            for (uint256 i = 0; i < elements.wideCount; ++i) {
                isSettling = isSettling && loadWord(elements.wideAt + 0x20 * i) & 31 == SETTLE;
            }
            if (!isSettling) revert RollupNotSequencer(msg.sender);
        }
        if (elements.signedCount != 0) revert RollupSignedOperations(msg.sender, elements.signedCount);
    }

    function _checkTimestamp(uint256 timestamp, uint256 lastTimestamp) private view {
        uint256 earliest = block.timestamp - TIMESTAMP_WINDOW;
        if (earliest < lastTimestamp) earliest = lastTimestamp;
        if (timestamp < earliest || timestamp > block.timestamp) {
            revert RollupTimestampInvalid(timestamp, earliest, block.timestamp);
        }
    }

    /// @dev The effects of the wide slots on L1, in slot order. Slots that are not posted are null.
    function _applyWide(Run memory run, BatchElements.Elements memory elements) private {
        uint256 wordsAt = elements.wordsAt;
        uint256 coreAt = elements.wideAt;
        bool isClosed = false;
        for (uint256 i = 0; i < elements.wideCount; ++i) {
            uint256 core = loadWord(coreAt);
            uint256 kind = core & 31;
            if (kind == CLOSE_EPOCH || kind == FORCED_CLOSE_EPOCH && core >> VALID_BIT & 1 == 1) {
                if (!isClosed) _close(run.state.batchNumber);
                isClosed = true;
            }
            if (kind >= DEPOSIT_NEW) {
                _consume(run, core, wordsAt);
            } else if (kind == WITHDRAW) {
                uint256 recipient = loadWord(wordsAt);
                if (recipient >> 160 != 0) revert RollupRecipientInvalid(recipient);
                _payOut(
                    run, address(uint160(recipient)), loadWord(wordsAt + 0x20), CreditReason.Withdrawal
                );
            } else if (kind >= CREATE_ACCOUNT && kind <= CREATE_MODEL) {
                _takeFromLedger(run, idFeeWei);
                run.totals.burnableWei += idFeeWei;
            } else if (kind == SETTLE || kind == ACTIVATION) {
                _settle(run, core, loadWord(wordsAt));
            }
            // Addresses of memory.
            unchecked {
                coreAt += 0x20;
                wordsAt += 0x20 * BatchElements.wordCount(kind);
            }
        }
    }

    /// @dev Takes the next settlement for a Settle or Activation record, with all of its entries. What a Settle burns leaves the
    /// ledger (I1).
    function _settle(Run memory run, uint256 core, uint256 word) private {
        SettlementRecord memory record = SettlementRecord({
            kind: core & 31,
            modelId: core >> 29 & 0xffffff,
            word: word,
            batchNumber: run.state.batchNumber,
            closingTime: 0,
            prevRandao: 0
        });
        uint256 a = core >> 5 & 0xffffff;
        if (a != 0) revert SettlementLeafInvalid(record.modelId, a);
        uint256 index = run.takenCount;
        uint256 count = 1;
        uint256 burnedWei;
        if (index < run.settlementCount && _dataLength(run.settlementsAt, index) == 0) {
            burnedWei = _takePreVerified(record, block.timestamp - (run.isSequencer ? 0 : SOFT_DEADLINE + 1));
        } else {
            if (!run.isSequencer) revert SettlementNotSequencer(msg.sender);
            (count, burnedWei) = _takeSettlement(
                run.keys,
                run.settlementsAt,
                index,
                run.settlementCount,
                record,
                run.isPlainCall,
                run.nextStatement
            );
            // As many statements as there are entries with data: the reader refuses a settlement that has others.
            unchecked {
                run.nextStatement += STATEMENT_SIZE * count;
            }
        }
        // At most all of them.
        unchecked {
            run.takenCount = index + count;
        }
        _takeFromLedger(run, burnedWei);
        // 96 bits as it was read.
        run.totals.burnableWei += uint96(burnedWei);
    }

    /// @dev Proofs have no dynamic part, so an array of them is a place in the calldata and a number.
    function _proofs(uint256 place, uint256 count) private pure returns (Proof[] calldata proofs) {
        assembly ("memory-safe") {
            proofs.offset := place
            proofs.length := count
        }
    }

    /// @dev Takes the next queue entry, which must be the one that the slot states (I6).
    function _consume(Run memory run, uint256 core, uint256 wordsAt) private {
        uint256 index = run.state.queueHead;
        uint256 kind = core & 31;
        // The B of a new account is given by the ledger and not queued.
        uint256 a = core >> 5 & 0xffffff;
        uint256 b = kind == DEPOSIT_NEW ? 0 : core >> 29 & 0xffffff;
        uint256 amountWei = loadWord(wordsAt);
        uint256 word1 = loadWord(wordsAt + 0x20);
        uint256 sender = loadWord(wordsAt + 0x60);
        // A publication's words go on behind its sender.
        bool isLong = kind == FORCED_PUBLISH_VERSION;
        uint256 word3 = isLong ? loadWord(wordsAt + 0x80) : 0;
        uint256 word4 = isLong ? loadWord(wordsAt + 0xa0) : 0;
        uint256 hash = _entryHash(
            index, Entry(kind, a, b, amountWei, word1, loadWord(wordsAt + 0x40), word3, word4), sender
        );
        // 216 bits decide; the rest of the stored word is the entry's time.
        if ((queueEntries[index] ^ hash) >> ENTRY_TIME_BITS != 0) revert RollupQueueMismatch(index);
        // The hash binds every word to the range that the queue's functions checked.
        delete queueEntries[index];
        run.state.queueHead = uint40(index + 1);

        bool isValid = core >> VALID_BIT & 1 == 1;
        uint256 executedWei = 0;
        if (kind <= DEPOSIT_TO) {
            run.totals.depositCount -= 1;
            run.totals.depositWei -= uint96(amountWei);
            if (isValid) {
                executedWei = amountWei;
                run.ledgerWei += amountWei;
            } else {
                // A new account's deposit paid for its place when it was queued. No deposit is below the base fee.
                uint96 feeWei = kind == DEPOSIT_TO ? queueBaseFeeWei : 0;
                run.totals.burnableWei += feeWei;
                _credit(run, address(uint160(sender)), amountWei - feeWei, CreditReason.DepositRefused);
            }
        } else if (kind == FORCED_WITHDRAW) {
            delete _openForcedWithdrawals[_idAndSender(a, sender)];
            if (isValid) {
                executedWei = loadWord(wordsAt + 0x80);
                _payOut(run, address(uint160(word1)), executedWei, CreditReason.ForcedWithdrawal);
            }
        }
        // What is paid out was in the ledger: below 2^96.
        emit QueueEntryConsumed(index, run.state.batchNumber, isValid, uint96(executedWei));
    }

    /// @dev Any amount may come in: one that the ledger does not hold is refused (I2).
    function _takeFromLedger(Run memory run, uint256 amountWei) private pure {
        if (amountWei > run.ledgerWei) revert RollupLedgerExceeded(amountWei, run.ledgerWei);
        run.ledgerWei -= amountWei;
    }

    function _payOut(Run memory run, address recipient, uint256 amountWei, CreditReason reason) private {
        _takeFromLedger(run, amountWei);
        _credit(run, recipient, amountWei, reason);
    }

    function _credit(Run memory run, address recipient, uint256 amountWei, CreditReason reason) private {
        if (amountWei == 0) return;
        pendingWithdrawals[recipient] += amountWei;
        emit WithdrawalCredited(recipient, run.state.batchNumber, reason, uint96(amountWei));
    }

    function _requireRunning() internal view override {
        if (_state.isFrozen) revert RollupFrozen();
    }

    function _writeState(Run memory run) private {
        _state = run.state;
        _totals = run.totals;
        ledgerWei = run.ledgerWei;
    }
}
