// SPDX-License-Identifier: GPL-2.0-only
// Paths of cgroups as service managers and container runtimes make them.
#include "core/process/cgroup_names.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace bpftrap {
namespace {

const std::string id = "4c01db0b339c8a3e0f4f7c2f6a4c5d3c8e9b1a2d3f4e5061728394a5b6c7d8e9";
const std::string outer = "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f";
const std::string pod = "9d1a6a5c_8f1f_4a53_9d3c_2b7a7f1c0e11";

struct Case {
  std::string path;
  std::optional<std::string> unit;
  std::optional<std::string> container_id;
};

// Two directories that kubelet makes for a pod, with the systemd driver.
const std::string pod_slice =
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + pod + ".slice/";

const Case cases[] = {
    {"/", {}, {}},
    {"", {}, {}},
    {"/init.scope", "init.scope", {}},
    {"/system.slice/cron.service", "cron.service", {}},
    {"/system.slice/ssh.service/session", "ssh.service", {}},
    {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", {}},
    {"/system.slice", {}, {}},
    {"/user.slice/user-1000.slice", {}, {}},
    {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", {}},
    {"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", {}},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service", "dbus.service", {}},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-1234.scope",
     "app-gnome-firefox-1234.scope",
     {}},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice", "user@1000.service", {}},
    // systemd escapes characters in names of units, and names that look like the kernel's files.
    {R"(/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid-AB.service)",
     R"(systemd-fsck@dev-disk-by\x2duuid-AB.service)",
     {}},
    {R"(/system.slice/dev-disk-by\x2duuid-AB.swap)", R"(dev-disk-by\x2duuid-AB.swap)", {}},
    {"/system.slice/home.mount", "home.mount", {}},
    {"/system.slice/dbus.socket", "dbus.socket", {}},
    {"/system.slice/_cpu.service", "cpu.service", {}},
    {"/system.slice/__under.service", "_under.service", {}},
    {"/system.slice/with space.service", {}, {}},
    {"/system.slice/.service", {}, {}},
    {"/machine.slice/machine-debian.scope/payload/system.slice/nginx.service", "nginx.service", {}},
    {R"(/machine.slice/systemd-nspawn@a\x2db.service/payload)",
     R"(systemd-nspawn@a\x2db.service)",
     {}},
    {"/lxc.payload.web/system.slice/nginx.service", "nginx.service", {}},
    // docker
    {"/docker/" + id, {}, id},
    {"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
    {"/system.slice/docker-" + id + ".scope/init", "docker-" + id + ".scope", id},
    {"/system.slice/docker-" + id + ".scope/system.slice/cron.service", "cron.service", id},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope",
     "docker-" + id + ".scope", id},
    {"/docker/" + outer + "/docker/" + id, {}, id},
    {"/system.slice/docker.service/docker/" + id, "docker.service", id},
    {"/docker/buildx/buildkit/q1tsjnkbgsqj2mbd8gg0k5xfy", {}, {}},
    {"/ecs/0123456789abcdef0123456789abcdef/" + id, {}, id},
    // containerd
    {"/default/" + id, {}, id},
    {"/system.slice/nerdctl-" + id + ".scope", "nerdctl-" + id + ".scope", id},
    {"/system.slice/containerd.service", "containerd.service", {}},
    {pod_slice + "cri-containerd-" + id + ".scope", "cri-containerd-" + id + ".scope", id},
    {"/system.slice/containerd.service/kubepods-burstable-pod" + pod +
         ".slice:cri-containerd:" + id,
     "containerd.service", id},
    // kubelet with the cgroupfs driver
    {"/kubepods/burstable/pod9d1a6a5c-8f1f-4a53-9d3c-2b7a7f1c0e11/" + id, {}, id},
    {"/kubepods/besteffort/pod9d1a6a5c-8f1f-4a53-9d3c-2b7a7f1c0e11", {}, {}},
    {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + pod + ".slice/cri-containerd-" +
         id + ".scope",
     "cri-containerd-" + id + ".scope", id},
    {"/docker/" + outer + "/kubepods/burstable/pod9d1a6a5c-8f1f-4a53-9d3c-2b7a7f1c0e11/" + id,
     {},
     id},
    // cri-o
    {pod_slice + "crio-" + id + ".scope", "crio-" + id + ".scope", id},
    {pod_slice + "crio-" + id + ".scope/container", "crio-" + id + ".scope", id},
    {"/kubepods/burstable/pod9d1a6a5c-8f1f-4a53-9d3c-2b7a7f1c0e11/crio-" + id, {}, id},
    {pod_slice + "crio-conmon-" + id + ".scope", "crio-conmon-" + id + ".scope", {}},
    // podman
    {"/machine.slice/libpod-" + id + ".scope", "libpod-" + id + ".scope", id},
    {"/machine.slice/libpod-" + id + ".scope/container", "libpod-" + id + ".scope", id},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container",
     "libpod-" + id + ".scope", id},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" + id,
     "web.service", id},
    {"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", {}},
    {"/docker/" + outer + "/machine.slice/libpod-conmon-" + id + ".scope",
     "libpod-conmon-" + id + ".scope", outer},
    {"/machine.slice/machine-libpod_pod_" + outer + ".slice/libpod-" + id + ".scope",
     "libpod-" + id + ".scope", id},
    {"/machine.slice/machine-libpod_pod_" + outer + ".slice", {}, {}},
    {"/libpod_parent/" + outer + "/libpod-" + id, {}, id},
    // 64 digits that are no container id
    {"/x/" + id.substr(1), {}, {}},
    {"/x/a" + id, {}, {}},
    {"/x/" + id.substr(1) + "g", {}, {}},
    {"/system.slice/run-" + id + ".service", "run-" + id + ".service", {}},
};

TEST(CgroupNames, OfRealWorldPaths) {
  for (const Case& one : cases) {
    EXPECT_EQ(unit_of_cgroup(one.path), one.unit) << one.path;
    EXPECT_EQ(container_of_cgroup(one.path), one.container_id) << one.path;
  }
}

}  // namespace
}  // namespace bpftrap
