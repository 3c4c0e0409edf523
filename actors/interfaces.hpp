// Start here: the cast of Segue. Every actor by what it answers; what the messages mean stands in `messages.hpp`.
#pragma once

#include "actors/messages.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace segue {

using caf::reacts_to;
using caf::replies_to;

/// Anything that can be shown in the actor tree.
using described_actor = caf::typed_actor<replies_to<describe_actor>::with<actor_description>>;

/// Owns one log engine: one writer thread that groups commits, N reader threads. Child of the tenant.
using chunk_store_actor = caf::typed_actor<           //
    replies_to<create_stream>::with<stream_written>,  //
    replies_to<claim_stream>::with<stream_written>,   //
    replies_to<put_chunks>::with<stream_written>,     //
    replies_to<delete_stream>::with<stream_written>,  //
    replies_to<mark_archive>::with<stream_written>,   //
    replies_to<restore_chunks>::with<stream_written>, //
    replies_to<load_stream>::with<stream_loaded>,     //
    replies_to<list_expiring>::with<streams_listed>,  //
    replies_to<load_chunks>::with<chunk_batch>,       //
    replies_to<describe_actor>::with<actor_description>>;

/// Owns one object store: N threads. Child of the tenant.
using object_store_actor = caf::typed_actor<        //
    replies_to<put_object>::with<object_put>,       //
    replies_to<begin_upload>::with<upload_begun>,   //
    replies_to<put_part>::with<part_put>,           //
    replies_to<finish_upload>::with<object_put>,    //
    replies_to<abort_uploads>::with<object_put>,    //
    replies_to<read_object>::with<object_read>,     //
    replies_to<erase_object>::with<object_put>,     //
    replies_to<load_archived>::with<chunk_batch>,   //
    replies_to<describe_actor>::with<actor_description>>;

/// Owns one catalogue engine: the rows of generations and transfers, and the keys. One writer, N readers. Child of the tenant.
using catalogue_actor = caf::typed_actor<                       //
    replies_to<insert_generation>::with<generation_status>,     //
    replies_to<store_generation>::with<generation_status>,      //
    replies_to<erase_generation>::with<generation_purged>,      //
    replies_to<find_generation>::with<generation_status>,       //
    replies_to<list_generations>::with<generations_listed>,     //
    replies_to<list_unfinished>::with<generations_listed>,      //
    replies_to<insert_transfer>::with<transfer_status>,         //
    replies_to<lease_transfers>::with<transfers_listed>,        //
    replies_to<store_transfer>::with<transfer_status>,          //
    replies_to<retry_transfer>::with<transfer_status>,          //
    replies_to<drop_transfer>::with<transfer_status>,           //
    replies_to<prune_transfers>::with<transfers_listed>,        //
    replies_to<find_transfer>::with<transfer_status>,           //
    replies_to<list_transfers>::with<transfers_listed>,         //
    replies_to<list_changed_transfers>::with<transfers_listed>, //
    replies_to<find_api_key>::with<api_key_found>,              //
    replies_to<describe_actor>::with<actor_description>>;

/// Moves finished pieces between the chunk store and the object store, as the rows of the catalogue say. Child of the tenant.
using transfers_actor = caf::typed_actor<                       //
    replies_to<enqueue_upload>::with<transfer_accepted>,        //
    replies_to<enqueue_download>::with<transfer_accepted>,      //
    replies_to<enqueue_removal>::with<transfer_accepted>,       //
    replies_to<find_transfer>::with<transfer_status>,           //
    replies_to<list_transfers>::with<transfers_listed>,         //
    replies_to<retry_transfer>::with<transfer_status>,          //
    replies_to<drop_transfer>::with<transfer_status>,           //
    replies_to<await_transfer_changes>::with<transfers_listed>, //
    replies_to<describe_actor>::with<actor_description>>;

/// Does one transfer, once. Child of the transfers.
using transfer_actor = caf::typed_actor<reacts_to<renew_lease>, replies_to<describe_actor>::with<actor_description>>;

/// The chunk buffer of one live stream: ring, pending appends, parked readers. Child of the directory.
using stream_actor = caf::typed_actor<                 //
    replies_to<append_chunk>::with<chunk_appended>,    //
    replies_to<read_chunks>::with<chunk_batch>,        //
    replies_to<inspect_stream>::with<stream_loaded>,   //
    replies_to<describe_actor>::with<actor_description>>;

/// A live stream.
struct stream_opened {
  stream_actor stream;
  stream_row row; ///< as it was when the stream was opened: what never changes of it can be relied on
  bool created = false; ///< by this very request
};
SEGUE_INSPECT(stream_opened, x.stream, x.row, x.created)

/// Knows which streams are live, and alone decides on their existence. Child of the tenant.
using directory_actor = caf::typed_actor<                   //
    replies_to<open_stream>::with<stream_opened>,           //
    replies_to<find_stream>::with<stream_opened>,           //
    replies_to<remove_stream>::with<stream_removed>,        //
    replies_to<may_retire>::with<retirement_decided>,       //
    reacts_to<stream_expired>,                              //
    reacts_to<archive_played>,                              //
    replies_to<describe_actor>::with<actor_description>>;

/// Makes the sound of one piece, on a thread of its own. Child of its generation.
using generator_actor = caf::typed_actor<           //
    replies_to<open_sound>::with<sound_opened>,     //
    replies_to<render_sound>::with<sound_rendered>>;

/// Drives one generation from its row to its terminal event. Child of the manager.
using generation_actor = caf::typed_actor<                       //
    reacts_to<cancel_generation>,                                //
    replies_to<describe_actor>::with<actor_description>>;

/// Owns the queue and the live generations. Child of the tenant.
using manager_actor = caf::typed_actor<                         //
    replies_to<start_generation>::with<generation_status>,      //
    replies_to<find_generation>::with<generation_status>,       //
    replies_to<list_generations>::with<generations_listed>,     //
    replies_to<cancel_generation>::with<generation_status>,     //
    replies_to<purge_generation>::with<generation_purged>,      //
    reacts_to<generation_progressed>,                           //
    replies_to<check_readiness>::with<readiness_checked>,       //
    replies_to<describe_actor>::with<actor_description>>;

/// What a request may use once it passed the door: bound to one tenant's stores.
struct tenant_services {
  directory_actor directory;
  manager_actor manager;
  transfers_actor transfers;
  catalogue_actor catalogue;
  std::string tenant;    ///< its name
  std::string user_id;   ///< who asks; empty: nobody was asked for
  role may = role::nobody;
  int64_t until_ms = INT64_MAX / 2; ///< what was shown ends then

  /// Whether it may be known to who asks that something of this user is there.
  bool may_see(const std::string& owner) const { return may == role::admin || owner == user_id; }

  /// To whose things a search is limited; empty: to nobody's.
  std::string only_of() const { return may == role::admin ? std::string{} : user_id; }
};
SEGUE_INSPECT(tenant_services, x.directory, x.manager, x.transfers, x.catalogue, x.tenant, x.user_id, x.may, x.until_ms)

/// Opens the stores of a tenant that were away when the server began. Child of the tenant; ends when it is done.
using opener_actor = caf::typed_actor<reacts_to<reach_stores>>;

/// Owns one set of stores and everything that runs on them.
using tenant_actor = caf::typed_actor<                          //
    replies_to<resolve_tenant>::with<tenant_services>,          //
    replies_to<check_readiness>::with<readiness_checked>,       //
    replies_to<describe_actor>::with<actor_description>>;

/// Knows the tenants, and which of them a credential opens.
using registry_actor = caf::typed_actor<                        //
    replies_to<resolve_tenant>::with<tenant_services>,          //
    replies_to<find_tenant>::with<tenant_services>,             //
    replies_to<check_readiness>::with<readiness_checked>,       //
    replies_to<describe_actor>::with<actor_description>>;

// -- nodes ------------------------------------------------------------------------------------------------------------------

/// What an edge node gets when it joins: the door of the node it has joined, which then knows whose request may do what.
struct node_joined {
  registry_actor registry;
  std::string name; ///< of the node
  bool auth = false; ///< it asks for credentials; else whoever asks may do anything
};
SEGUE_INSPECT(node_joined, x.registry, x.name, x.auth)

/// Says which nodes are at the other ends of links.
using nodes_actor = caf::typed_actor<replies_to<list_nodes>::with<nodes_listed>>;

/// Speaks for a node to those that join it; the first actor they reach.
using node_actor = caf::typed_actor<                            //
    replies_to<join_node>::with<node_joined>,                   //
    replies_to<ping_node>::with<node_pinged>,                   //
    replies_to<list_nodes>::with<nodes_listed>,                 //
    replies_to<describe_actor>::with<actor_description>>;

struct node_dialled {
  node_actor node;
};
SEGUE_INSPECT(node_dialled, x.node)

/// Makes links, and cuts them.
using dialer_actor = caf::typed_actor<                          //
    replies_to<dial_node>::with<node_dialled>,                  //
    replies_to<hear_link>::with<link_heard>,                    //
    reacts_to<cut_link>>;

/// Keeps the link of an edge node. Child of the edge node's registry.
using link_actor = caf::typed_actor<replies_to<list_nodes>::with<nodes_listed>, replies_to<describe_actor>::with<actor_description>>;

/// Teaches an actor system our messages and errors. Called on every configuration, also in tests.
void register_messages(caf::actor_system_config& config);

} // namespace segue

#define SEGUE_MESSAGE(name)                                                                                            \
  CAF_ADD_TYPE_ID(segue, (segue::name))                                                                                \
  SEGUE_COMPILED_ELSEWHERE template class caf::detail::tuple_vals_impl<caf::detail::message_data, segue::name>;        \
  SEGUE_COMPILED_ELSEWHERE template class caf::detail::tuple_vals<segue::name>;                                        \
  SEGUE_COMPILED_ELSEWHERE template class caf::detail::tuple_vals_impl<caf::type_erased_tuple, segue::name>;           \
  SEGUE_COMPILED_ELSEWHERE template class caf::detail::type_erased_value_impl<segue::name>;

CAF_BEGIN_TYPE_ID_BLOCK(segue, caf::id_block::segue_errors::end)
  SEGUE_MESSAGE(producer_tag)
  SEGUE_MESSAGE(ancestor)
  SEGUE_MESSAGE(stream_row)
  SEGUE_MESSAGE(payload)
  SEGUE_MESSAGE(chunk)
  SEGUE_MESSAGE(stream_wish)
  SEGUE_MESSAGE(create_stream)
  SEGUE_MESSAGE(claim_stream)
  SEGUE_MESSAGE(put_chunks)
  SEGUE_MESSAGE(delete_stream)
  SEGUE_MESSAGE(stream_written)
  SEGUE_MESSAGE(load_stream)
  SEGUE_MESSAGE(stream_loaded)
  SEGUE_MESSAGE(list_expiring)
  SEGUE_MESSAGE(streams_listed)
  SEGUE_MESSAGE(load_chunks)
  SEGUE_MESSAGE(append_chunk)
  SEGUE_MESSAGE(chunk_appended)
  SEGUE_MESSAGE(read_chunks)
  SEGUE_MESSAGE(chunk_batch)
  SEGUE_MESSAGE(inspect_stream)
  SEGUE_MESSAGE(may_retire)
  SEGUE_MESSAGE(stream_expired)
  SEGUE_MESSAGE(archive_played)
  SEGUE_MESSAGE(retirement_decided)
  SEGUE_MESSAGE(open_stream)
  SEGUE_MESSAGE(find_stream)
  SEGUE_MESSAGE(remove_stream)
  SEGUE_MESSAGE(stream_removed)
  SEGUE_MESSAGE(stream_opened)
  SEGUE_MESSAGE(generation_state)
  SEGUE_MESSAGE(generation_row)
  SEGUE_MESSAGE(start_generation)
  SEGUE_MESSAGE(find_generation)
  SEGUE_MESSAGE(list_generations)
  SEGUE_MESSAGE(cancel_generation)
  SEGUE_MESSAGE(purge_generation)
  SEGUE_MESSAGE(generation_purged)
  SEGUE_MESSAGE(generation_status)
  SEGUE_MESSAGE(generations_listed)
  SEGUE_MESSAGE(generation_progressed)
  SEGUE_MESSAGE(insert_generation)
  SEGUE_MESSAGE(store_generation)
  SEGUE_MESSAGE(erase_generation)
  SEGUE_MESSAGE(list_unfinished)
  SEGUE_MESSAGE(open_sound)
  SEGUE_MESSAGE(sound_opened)
  SEGUE_MESSAGE(render_sound)
  SEGUE_MESSAGE(sound_rendered)
  SEGUE_MESSAGE(describe_actor)
  SEGUE_MESSAGE(actor_description)
  SEGUE_MESSAGE(check_readiness)
  SEGUE_MESSAGE(readiness_checked)
  SEGUE_MESSAGE(resolve_tenant)
  SEGUE_MESSAGE(tenant_services)
  SEGUE_MESSAGE(expire_readers)
  SEGUE_MESSAGE(retry_commit)
  SEGUE_MESSAGE(check_idle)
  SEGUE_MESSAGE(check_expiry)
  SEGUE_MESSAGE(pace_sound)
  SEGUE_MESSAGE(send_heartbeat)
  SEGUE_MESSAGE(commit_writes)
  SEGUE_MESSAGE(resume_queue)
  SEGUE_MESSAGE(tell_places)
  SEGUE_MESSAGE(retry_step)
  SEGUE_MESSAGE(begin_attempt)
  SEGUE_MESSAGE(generation_stream)
  SEGUE_MESSAGE(resend_appends)
  SEGUE_MESSAGE(look_for_transfers)
  SEGUE_MESSAGE(renew_lease)
  SEGUE_MESSAGE(report_transfers)
  SEGUE_MESSAGE(reach_stores)
  SEGUE_MESSAGE(mark_archive)
  SEGUE_MESSAGE(restore_chunks)
  SEGUE_MESSAGE(put_object)
  SEGUE_MESSAGE(object_put)
  SEGUE_MESSAGE(begin_upload)
  SEGUE_MESSAGE(upload_begun)
  SEGUE_MESSAGE(put_part)
  SEGUE_MESSAGE(part_put)
  SEGUE_MESSAGE(finish_upload)
  SEGUE_MESSAGE(abort_uploads)
  SEGUE_MESSAGE(await_transfer_changes)
  SEGUE_MESSAGE(read_object)
  SEGUE_MESSAGE(object_read)
  SEGUE_MESSAGE(erase_object)
  SEGUE_MESSAGE(load_archived)
  SEGUE_MESSAGE(transfer_row)
  SEGUE_MESSAGE(enqueue_upload)
  SEGUE_MESSAGE(enqueue_download)
  SEGUE_MESSAGE(enqueue_removal)
  SEGUE_MESSAGE(transfer_accepted)
  SEGUE_MESSAGE(list_transfers)
  SEGUE_MESSAGE(transfers_listed)
  SEGUE_MESSAGE(find_transfer)
  SEGUE_MESSAGE(transfer_status)
  SEGUE_MESSAGE(retry_transfer)
  SEGUE_MESSAGE(drop_transfer)
  SEGUE_MESSAGE(insert_transfer)
  SEGUE_MESSAGE(lease_transfers)
  SEGUE_MESSAGE(store_transfer)
  SEGUE_MESSAGE(list_changed_transfers)
  SEGUE_MESSAGE(prune_transfers)
  SEGUE_MESSAGE(api_key)
  SEGUE_MESSAGE(find_api_key)
  SEGUE_MESSAGE(api_key_found)
  SEGUE_MESSAGE(archive_state)
  SEGUE_MESSAGE(transfer_kind)
  SEGUE_MESSAGE(transfer_state)
  SEGUE_MESSAGE(role)
  SEGUE_MESSAGE(join_node)
  SEGUE_MESSAGE(node_joined)
  SEGUE_MESSAGE(ping_node)
  SEGUE_MESSAGE(node_pinged)
  SEGUE_MESSAGE(find_tenant)
  SEGUE_MESSAGE(node_state)
  SEGUE_MESSAGE(node_row)
  SEGUE_MESSAGE(list_nodes)
  SEGUE_MESSAGE(nodes_listed)
  SEGUE_MESSAGE(dial_node)
  SEGUE_MESSAGE(node_dialled)
  SEGUE_MESSAGE(cut_link)
  SEGUE_MESSAGE(node_entered)
  SEGUE_MESSAGE(dial_again)
  SEGUE_MESSAGE(ping_again)
  SEGUE_MESSAGE(look_for_silence)
  SEGUE_MESSAGE(bind_again)
  SEGUE_MESSAGE(hear_link)
  SEGUE_MESSAGE(link_heard)
  SEGUE_MESSAGE(read_on)
CAF_END_TYPE_ID_BLOCK(segue)
