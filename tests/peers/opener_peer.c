/* An EtherNet/IP adapter on OpENer: the foreign stack that is written in C.
 *
 * It prints `READY enip-opener address:port` once it listens, and ends on SIGTERM or when its
 * standard input closes. build_opener.sh builds it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cipconnectionobject.h"
#include "cipethernetlink.h"
#include "cipstring.h"
#include "ciptcpipinterface.h"
#include "doublylinkedlist.h"
#include "generic_networkhandler.h"
#include "opener_api.h"

volatile int g_end_stack = 0;
uint16_t opener_port = 0;

static int usage(void)
{
    fprintf(stderr, "usage: opener_peer [--bind ADDRESS] [--port N]   (port 0, the default, takes a free one)\n");
    return 2;
}

static uint16_t free_port(in_addr_t address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    socklen_t length = sizeof name;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(probe, (struct sockaddr *)&name, sizeof name) < 0
        || getsockname(probe, (struct sockaddr *)&name, &length) < 0) {
        perror("opener_peer: bind");
        exit(1);
    }
    close(probe);
    return ntohs(name.sin_port);
}

static void *end_with_standard_input(void *unused)
{
    char ignored[256];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {}
    _exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1";
    int port = 0;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return usage();
        if (strcmp(argv[i], "--bind") == 0) address = argv[i + 1];
        else if (strcmp(argv[i], "--port") == 0) port = atoi(argv[i + 1]);
        else return usage();
    }
    opener_port = port ? (uint16_t)port : free_port(inet_addr(address));

    DoublyLinkedListInitialize(
        &connection_list, CipConnectionObjectListArrayAllocator, CipConnectionObjectListArrayFree);
    SetDeviceSerialNumber(123456789);
    if (CipStackInit(4711) != kEipStatusOk) return 1;
    uint8_t mac[6] = {0x02, 0x47, 0x11, 0x00, 0x00, 0x42};
    CipEthernetLinkSetMac(mac);
    SetCipStringByCstr(&g_tcpip.hostname, "opener-42");
    g_tcpip.interface_configuration.ip_address = inet_addr(address);
    g_tcpip.interface_configuration.network_mask = inet_addr("255.255.255.0");
    g_tcpip.interface_configuration.gateway = inet_addr("127.0.0.254");
    if (NetworkHandlerInitialize() != kEipStatusOk) {
        fprintf(stderr, "opener_peer: %s:%d: cannot listen\n", address, opener_port);
        return 1;
    }
    pthread_t watch;
    pthread_create(&watch, NULL, end_with_standard_input, NULL);
    printf("READY enip-opener %s:%d\n", address, opener_port);
    fflush(stdout);
    while (!g_end_stack && NetworkHandlerProcessCyclic() == kEipStatusOk) {}
    return 1;
}
