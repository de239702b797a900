// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Which of an operator's machines may acknowledge operations now
/// @notice It stands beside the rollup: the rollup does not know it, and it holds no money. Whoever ignores it can do
/// nothing that he could not do without it. Its one use: an operator with two machines and one key does not
/// contradict himself (docs/how-to/fail-over.md).
/// @dev Time is the block's. Ethereum's clients take no block from the future, but for half a second.
interface ISequencerLease {
    /// @param epoch Counted from 1: which taking of the lease this is. 0 before the first.
    /// @param endsAt Nobody else may take it before this time, in seconds.
    event LeaseTaken(uint64 indexed epoch, uint64 endsAt, string url);
    event LeaseExtended(uint64 indexed epoch, uint64 endsAt);

    error LeaseNotOperator(address caller);
    /// @notice Another machine has taken it since.
    error LeaseOtherEpoch(uint64 epoch);
    /// @notice It has not ended yet.
    error LeaseHeld(uint64 endsAt);
    error LeaseDurationInvalid(uint64 durationSeconds);

    /// @notice Begins the next epoch, once the one before has ended.
    /// @param afterEpoch The epoch that the caller knows: of two who take it at once, one does.
    /// @param url Where clients and provers find the new sequencer.
    function take(uint64 afterEpoch, uint64 durationSeconds, string calldata url) external;

    /// @notice Lets the present epoch last from now on for the duration; it never ends sooner for that.
    /// @dev Also after its end, as long as nobody took it: then nobody else has acknowledged anything.
    function extend(uint64 ofEpoch, uint64 durationSeconds) external;

    /// @notice Ends the present epoch now. The caller's machine must have stopped to acknowledge before.
    function release(uint64 ofEpoch) external;

    function epoch() external view returns (uint64);
    function endsAt() external view returns (uint64);
    function url() external view returns (string memory);
    /// @notice The rollup's sequencer: the account that posts batches. It cannot be changed.
    function operator() external view returns (address);
}
