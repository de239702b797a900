// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ISequencerLease} from "./ISequencerLease.sol";

/// @title One lease for one operator
/// @dev Documentation is in ISequencerLease.
contract SequencerLease is ISequencerLease {
    /// A machine that vanishes blocks its standby for no longer than this.
    uint64 private constant MAX_DURATION_SECONDS = 1 days;

    /// @inheritdoc ISequencerLease
    address public immutable operator;
    /// @inheritdoc ISequencerLease
    uint64 public epoch;
    /// @inheritdoc ISequencerLease
    uint64 public endsAt;
    /// @inheritdoc ISequencerLease
    string public url;

    constructor(address operator_) {
        operator = operator_;
    }

    modifier onlyOperator() {
        if (msg.sender != operator) revert LeaseNotOperator(msg.sender);
        _;
    }

    /// @inheritdoc ISequencerLease
    function take(uint64 afterEpoch, uint64 durationSeconds, string calldata url_) external onlyOperator {
        _requireEpoch(afterEpoch);
        if (block.timestamp < endsAt) revert LeaseHeld(endsAt);
        epoch = afterEpoch + 1;
        endsAt = _endAfter(durationSeconds);
        url = url_;
        emit LeaseTaken(epoch, endsAt, url_);
    }

    /// @inheritdoc ISequencerLease
    function extend(uint64 ofEpoch, uint64 durationSeconds) external onlyOperator {
        _requireEpoch(ofEpoch);
        uint64 end = _endAfter(durationSeconds);
        if (end > endsAt) endsAt = end;
        emit LeaseExtended(ofEpoch, endsAt);
    }

    /// @inheritdoc ISequencerLease
    function release(uint64 ofEpoch) external onlyOperator {
        _requireEpoch(ofEpoch);
        if (block.timestamp < endsAt) endsAt = uint64(block.timestamp);
        emit LeaseExtended(ofEpoch, endsAt);
    }

    function _requireEpoch(uint64 expected) private view {
        if (expected != epoch) revert LeaseOtherEpoch(epoch);
    }

    function _endAfter(uint64 durationSeconds) private view returns (uint64) {
        if (durationSeconds == 0 || durationSeconds > MAX_DURATION_SECONDS) {
            revert LeaseDurationInvalid(durationSeconds);
        }
        return uint64(block.timestamp) + durationSeconds;
    }
}
