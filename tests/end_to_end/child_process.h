// A program in a process of its own, ended with its owner. For tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace vedette {

class ChildProcess {
 public:
  // Starts `command` (program and arguments) with its output caught.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits for its end, at most `limit`, then kills it. Its exit code, or -1 where a signal ended it.
  int Wait(std::chrono::milliseconds limit);
  // After Wait:
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  int pid_ = -1;
  int out_pipe_ = -1;
  int err_pipe_ = -1;
  std::string out_, err_;
};

}  // namespace vedette
