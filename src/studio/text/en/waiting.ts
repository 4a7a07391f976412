/** Each `waiting_code` of the server: why a picture does not go on. */
export const waiting = {
  nothing_can_be_stored:
    'Pictures cannot be stored at the moment, so nothing is sent yet. It is tried again by itself.',
  sent_again: 'The service did not take it, and nothing was charged. It is sent again by itself at {time}.',
  result_out_of_reach: 'The service works on it, but cannot be asked for the result. It is asked again by itself.',
  answer_file_gone:
    'The file {file} in the data folder, which holds the answer of the service, has gone. Put it back, or cancel to give the pictures up.',
  picture_not_stored: 'The picture was made, but is not stored yet. It is tried again by itself.',
  not_recorded: 'The server cannot read or write its data at the moment. It is tried again by itself.',
  server_fault: 'Something broke in the server; its log tells what. It is tried again by itself.',
}
