/** Each `waiting_code` of the server: why a picture does not go on. */
export const waiting = {
  nothing_can_be_stored: 'Pictures cannot be stored at the moment, so nothing is sent yet. The server keeps trying.',
  sent_again: 'The service did not accept it, and nothing was charged. It will be sent again at {time}.',
  result_out_of_reach: 'The service is working on it, but the result cannot be fetched. The server keeps asking.',
  answer_file_gone:
    'The file {file} in the data folder, which holds the answer of the service, is missing. Restore it, or cancel to give up the pictures.',
  picture_not_stored: 'The picture was made, but is not stored yet. The server keeps trying.',
  not_recorded: 'The server cannot read or write its data at the moment. It keeps trying.',
  server_fault: 'Something broke on the server; its log has the details. It keeps trying.',
}
