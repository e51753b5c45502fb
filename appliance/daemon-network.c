// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-network.c - [network]: addresses, ports, limits, marks
 *
 *   addresses of this machine --change--> looked up again
 *      --> new peers open their sockets there
 *      --> a peer whose own address is gone: ICE begins anew (webrtc/)
 *      --> a signaling connection from an address that is gone: joined again
 *      --> who waits to try again does so within seconds
 */
#include "appliance/daemon-private.h"

#include "appliance/daemon-media.h"
#include "appliance/daemon-messages.h"
#include "appliance/network-watch.h"

struct daemon_network {
	NetworkWatch *watch;	/* NULL: it cannot be had */
	char **seen;		/* all addresses, when we last looked */
	gboolean nowhere;	/* network.interfaces has no address */
};

/* [network] addresses, and those of [network] interfaces. NULL: any. */
static char **local_addresses(Daemon *d)
{
	Config *c = d->options->config;
	const char *const *interfaces = config_get_list(c,
							OPT_NETWORK_INTERFACES);
	const char *const *addresses = config_get_list(c,
						       OPT_NETWORK_ADDRESSES);
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	g_auto(GStrv) found = NULL;
	gboolean nowhere;

	if (!interfaces[0] && !addresses[0])
		return NULL;
	g_strv_builder_addv(all, (const char **) addresses);
	if (interfaces[0])
		found = network_watch_list(interfaces);
	if (found)
		g_strv_builder_addv(all, (const char **) found);
	nowhere = !addresses[0] && !found[0];
	/* An empty list would mean all interfaces, which nobody asked for. */
	if (nowhere)
		g_strv_builder_add(all, "127.0.0.1");
	if (nowhere && !d->network->nowhere)
		g_warning("no interface of network.interfaces has an address: "
			  "media stays on this machine until one has");
	d->network->nowhere = nowhere;
	return g_strv_builder_end(all);
}

/* @ret_addresses: owns what @ret borrows */
static void read_network(Daemon *d, struct rtc_network *ret,
			 char ***ret_addresses)
{
	Config *c = d->options->config;

	*ret_addresses = local_addresses(d);
	*ret = (struct rtc_network){
		.port_min = (uint16_t) config_get_int(c, OPT_NETWORK_PORT_MIN),
		.port_max = (uint16_t) config_get_int(c, OPT_NETWORK_PORT_MAX),
		.addresses = (const char *const *) *ret_addresses,
		.loopback = d->options->demo ||
			config_get_bool(c, OPT_NETWORK_LOOPBACK),
	};
}

static void read_limits(Daemon *d, struct rtc_limits *ret)
{
	Config *c = d->options->config;
	unsigned int data = (unsigned int)
		config_get_int(c, OPT_NETWORK_DATA_BITRATE);
	unsigned int asked = daemon_media_get_data_limit(d);

	if (asked && (!data || asked < data))
		data = asked;
	*ret = (struct rtc_limits){
		.data_bps = data,
		.total_bps = (unsigned int)
			config_get_int(c, OPT_NETWORK_TOTAL_BITRATE),
		.audio_bps = daemon_media_get_audio_rate(d),
	};
}

static uint8_t read_dscp(Daemon *d, enum option_id id)
{
	return (uint8_t) config_get_int(d->options->config, id);
}

void daemon_network_fill(Daemon *d, struct rtc_engine_config *config,
			 char ***ret_addresses)
{
	read_network(d, &config->network, ret_addresses);
	read_limits(d, &config->limits);
	config->dscp_audio = read_dscp(d, OPT_NETWORK_DSCP_AUDIO);
	config->dscp_video = read_dscp(d, OPT_NETWORK_DSCP_VIDEO);
}

void daemon_network_reload(Daemon *d)
{
	g_auto(GStrv) addresses = NULL;
	struct rtc_network network;

	if (!d->engine)
		return;
	read_network(d, &network, &addresses);
	rtc_engine_set_network(d->engine, &network);
}

void daemon_network_reload_marks(Daemon *d)
{
	if (d->engine)
		rtc_engine_set_dscp(d->engine,
				    read_dscp(d, OPT_NETWORK_DSCP_AUDIO),
				    read_dscp(d, OPT_NETWORK_DSCP_VIDEO));
}

gboolean daemon_network_reload_limits(Daemon *d, GError **error)
{
	struct rtc_limits limits;
	int r;

	if (!d->engine)
		return TRUE;
	read_limits(d, &limits);
	r = rtc_engine_set_limits(d->engine, &limits);
	if (r >= 0)
		return TRUE;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
		    "Cannot change the limits of what is sent: %s",
		    g_strerror(-r));
	return FALSE;
}

/* Media goes by addresses, signaling by routes as well. */
static void on_changed(void *user, gboolean gained, const char *const *lost)
{
	Daemon *d = user;
	struct daemon_network *n = d->network;
	g_auto(GStrv) before = n->seen;
	g_autofree char *text = NULL;

	n->seen = network_watch_list(NULL);
	if (!g_strv_equal((const char *const *) before,
			  (const char *const *) n->seen)) {
		text = g_strjoinv(", ", n->seen);
		daemon_message_log(DAEMON_MESSAGE_NETWORK, NULL,
				   "the network changed: %s", *text ?
				   text : "no address but the loopback's");
		daemon_network_reload(d);
	}
	if (d->room)
		room_network_changed(d->room);
}

/* Without it a box still comes back, after a longer wait. */
void daemon_network_start(Daemon *d)
{
	g_autoptr(GError) error = NULL;

	d->network = g_new0(struct daemon_network, 1);
	d->network->seen = network_watch_list(NULL);
	d->network->watch = network_watch_new(on_changed, d, &error);
	if (!d->network->watch)
		g_warning("%s; going on without", error->message);
}

void daemon_network_stop(Daemon *d)
{
	if (!d->network)
		return;
	d->network->watch = network_watch_free(d->network->watch);
	g_strfreev(d->network->seen);
	g_clear_pointer(&d->network, g_free);
}
