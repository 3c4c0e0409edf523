// What a generation does next, derived from what is durable. A plain class: the generation actor carries out the steps.
#pragma once

#include "actors/messages.hpp"

#include <string_view>

namespace segue {

/// Every step is idempotent: after a crash, or an error, it is simply done again.
class lifecycle {
public:
  enum class step {
    open_streams,  ///< create or find both streams
    announce,      ///< the `queued` event, if it is not there yet
    read_end,      ///< the event stream is closed: its last event says how it ended
    record_start,  ///< the row says running, with a new attempt
    open_sound,    ///< begin the piece
    announce_start, ///< the `started` event
    make_sound,    ///< append sound until it ends, or until something is decided
    back_off,      ///< the attempt broke off: wait a while, then begin the next one
    record_ending, ///< the row says how it is going to end
    close_audio,   ///< no sound follows
    end_events,    ///< the terminal event, which closes the event stream
    record_end,    ///< the row says how it ended
    done,
  };

  /// A row fresh from the queue, or one found unfinished at start-up. Begins a new attempt: from now on, whatever an
  /// earlier attempt may still send is fenced.
  explicit lifecycle(generation_row row);

  step next() const;

  /// The step that `next` named has been carried out.
  void complete(step x);

  // -- what was learnt on the way
  void found_streams(const stream_row& audio, const stream_row& events);
  void started(int64_t at_ms);
  void learned_end(generation_state how, std::string reason);
  void opened_sound(const sound_opened& x);
  void broke_off() { broken_off_ = true; }
  void stored_audio(position tail) { row_.audio_bytes = tail; }
  void found_audio_closed() { audio_closed_ = true; }

  /// How it ends. The first decision wins; false: it was decided before.
  bool decide(generation_state how, std::string reason = {});
  bool decided() const { return row_.decided != generation_state::queued; }

  /// The attempt is recorded, and nothing is decided: events may tell of it.
  bool under_way() const { return start_recorded_ && !decided(); }

  const generation_row& row() const { return row_; }

private:
  generation_row row_;
  bool ending_known_; ///< from the row or the closed events: a decision of this life does not go before a durable one
  bool streams_open_ = false;
  bool announced_ = false;
  bool events_closed_ = false;
  bool start_recorded_ = false;
  bool sound_open_ = false;
  bool start_announced_ = false;
  bool broken_off_ = false;
  bool ending_recorded_ = false;
  bool audio_closed_ = false;
  bool events_ended_ = false;
  bool end_recorded_ = false;
};

} // namespace segue
