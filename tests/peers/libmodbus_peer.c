/* A Modbus TCP server on libmodbus: the foreign stack that is written in C.
 *
 * It prints `READY modbus-libmodbus address:port` once it listens, and ends on SIGTERM or when its
 * standard input closes. Build:
 *   cc libmodbus_peer.c -o libmodbus_peer $(pkg-config --cflags --libs libmodbus)
 */
#include <arpa/inet.h>
#include <modbus.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int usage(void)
{
    fprintf(stderr, "usage: libmodbus_peer [--bind ADDRESS] [--port N]   (port 0, the default, takes a free one)\n");
    return 2;
}

static int listening_port(int listener)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    if (getsockname(listener, (struct sockaddr *)&name, &length) < 0) return -1;
    return ntohs(name.sin_port);
}

static void answer(modbus_t *context, modbus_mapping_t *registers, int connection, fd_set *open)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(context, connection);
    int length = modbus_receive(context, query);
    if (length > 0) {
        modbus_reply(context, query, length, registers);
    } else if (length < 0) {
        close(connection);
        FD_CLR(connection, open);
    }
}

static int serve(modbus_t *context, modbus_mapping_t *registers, int listener)
{
    fd_set open, readable;
    int top = listener;
    FD_ZERO(&open);
    FD_SET(STDIN_FILENO, &open);
    FD_SET(listener, &open);
    for (;;) {
        readable = open;
        if (select(top + 1, &readable, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd <= top; fd++) {
            if (!FD_ISSET(fd, &readable)) continue;
            if (fd == STDIN_FILENO) {
                char ignored[256];
                if (read(fd, ignored, sizeof ignored) <= 0) return 0;
            } else if (fd == listener) {
                int accepted = listener;
                accepted = modbus_tcp_accept(context, &accepted);
                if (accepted < 0) continue;
                FD_SET(accepted, &open);
                if (accepted > top) top = accepted;
            } else {
                answer(context, registers, fd, &open);
            }
        }
    }
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
    signal(SIGPIPE, SIG_IGN);
    modbus_t *context = modbus_new_tcp(address, port);
    modbus_mapping_t *registers = modbus_mapping_new(100, 100, 100, 100);
    int listener = context && registers ? modbus_tcp_listen(context, 8) : -1;
    if (listener < 0) {
        perror("libmodbus_peer: listen");
        return 1;
    }
    printf("READY modbus-libmodbus %s:%d\n", address, listening_port(listener));
    fflush(stdout);
    return serve(context, registers, listener);
}
